#include "shard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256, NICE = -15 };
#define LOOK_NS (5 * MS_NS)  /* how often calm sockets are looked at while packets come thick and no tick does it */
#define THICK_NS (4 * MS_NS) /* packets of calm sockets that come closer than this are thick */
#define CHECK_NS SECOND_NS   /* how long a calm epoll that broke stays unnoticed */
#define REST_NS (2 * MS_NS)  /* least time between two looks at urgent sockets while their packets come thick */

int64_t shard_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* -- addresses -- */

bool address_parse(address_t *address, const char *host, int port)
{
    memset(address, 0, sizeof *address);
    if (port < 0 || port > UINT16_MAX)
        return false;
    address->port = (uint16_t)port;
    if (inet_pton(AF_INET, host, address->ip) == 1) {
        address->family = 4;
        return true;
    }
    char plain[INET6_ADDRSTRLEN];
    const char *zone = strchr(host, '%');
    size_t length = zone ? (size_t)(zone - host) : strlen(host);
    if (length >= sizeof plain)
        return false;
    memcpy(plain, host, length);
    plain[length] = '\0';
    if (inet_pton(AF_INET6, plain, address->ip) != 1)
        return false;
    address->family = 6;
    if (zone)
        address->scope = strspn(zone + 1, "0123456789") == strlen(zone + 1) ? (uint32_t)atoi(zone + 1) : if_nametoindex(zone + 1);
    return true;
}

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}; /* RFC 4291 2.5.5.2 */

static void address_from(address_t *address, const struct sockaddr_storage *from)
{
    memset(address, 0, sizeof *address);
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        address->family = 4;
        address->port = ntohs(v4->sin_port);
        memcpy(address->ip, &v4->sin_addr, 4);
        return;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
    address->port = ntohs(v6->sin6_port);
    if (memcmp(&v6->sin6_addr, mapped, sizeof mapped) == 0) {
        address->family = 4;
        memcpy(address->ip, (const uint8_t *)&v6->sin6_addr + sizeof mapped, 4);
        return;
    }
    address->family = 6;
    address->scope = v6->sin6_scope_id;
    memcpy(address->ip, &v6->sin6_addr, 16);
}

/* For a socket of the family: an IPv6 socket reaches IPv4 too. */
static socklen_t address_to(const address_t *address, bool ipv6, struct sockaddr_storage *to)
{
    if (!ipv6) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)to;
        memset(v4, 0, sizeof *v4);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address->port);
        memcpy(&v4->sin_addr, address->ip, 4);
        return address->family == 4 ? sizeof *v4 : 0;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
    memset(v6, 0, sizeof *v6);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address->port);
    if (address->family == 4) {
        memcpy(&v6->sin6_addr, mapped, sizeof mapped);
        memcpy((uint8_t *)&v6->sin6_addr + sizeof mapped, address->ip, 4);
    } else {
        memcpy(&v6->sin6_addr, address->ip, 16);
        v6->sin6_scope_id = address->scope;
    }
    return sizeof *v6;
}

/* -- sockets -- */

static int bind_one(const char *host, int port, bool ipv6, bool checksums)
{
    int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int off = 0, on = 1;
    if (ipv6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    else if (!checksums)
        setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    address_t address;
    struct sockaddr_storage at;
    socklen_t size = address_parse(&address, host, port) ? address_to(&address, ipv6, &at) : 0;
    if (size == 0 || bind(fd, (struct sockaddr *)&at, size) < 0) {
        int error = size == 0 ? EINVAL : errno;
        close(fd);
        return -error;
    }
    return fd;
}

int shard_bind_pair(const char *host, int port, bool checksums, int sockets[2])
{
    bool ipv6 = strchr(host, ':') != NULL;
    sockets[0] = bind_one(host, port, ipv6, checksums);
    if (sockets[0] < 0)
        return -sockets[0];
    sockets[1] = bind_one(host, port + 1, ipv6, checksums);
    if (sockets[1] < 0) {
        close(sockets[0]);
        return -sockets[1];
    }
    return 0;
}

static bool is_ipv6(int fd)
{
    int domain = AF_INET;
    socklen_t size = sizeof domain;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
    return domain == AF_INET6;
}

/* -- the wire -- */

static shard_t *shard_of(core_t *core) { return core->wire_state; }

static bool udp_send(core_t *core, rtp_port_t *port, bool control, const uint8_t *data, int size, const address_t *target)
{
    (void)core;
    struct sockaddr_storage to;
    socklen_t length = address_to(target, port->ipv6, &to);
    int fd = port->sockets[control];
    return length > 0 && sendto(fd, data, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, length) >= 0;
}

/*
 * Epolls know sockets by descriptor: between their word and our look at it, without the lock, a port may have gone to
 * another shard and be freed there.
 */
static struct wire_end *end_at(const shard_t *shard, int fd) { return fd < shard->end_room ? shard->ends[fd] : NULL; }

static bool remember_end(shard_t *shard, int fd, struct wire_end *end)
{
    if (fd >= shard->end_room) {
        int room = 2 * fd + 64;
        struct wire_end **ends = realloc(shard->ends, (size_t)room * sizeof *ends);
        if (!ends)
            return false;
        memset(ends + shard->end_room, 0, (size_t)(room - shard->end_room) * sizeof *ends);
        shard->ends = ends;
        shard->end_room = room;
    }
    shard->ends[fd] = end;
    return true;
}

static void forget_end(shard_t *shard, int fd)
{
    if (fd >= 0 && fd < shard->end_room)
        shard->ends[fd] = NULL;
}

static bool watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void watch_end(shard_t *shard, rtp_port_t *port, int n)
{
    if (remember_end(shard, port->sockets[n], &port->ends[n]))
        watch(port->ends[n].urgent ? shard->epoll : shard->calm, port->sockets[n]);
}

static void watch_both(shard_t *shard, rtp_port_t *port)
{
    watch_end(shard, port, 0);
    watch_end(shard, port, 1);
}

/* Nothing was heard on it yet: the first packet is told at once. */
static void udp_listen(core_t *core, rtp_port_t *port)
{
    port->ipv6 = is_ipv6(port->sockets[0]);
    port->ends[0].urgent = true;
    port->ends[0].listened = port->ends[1].listened = true;
    watch_both(shard_of(core), port);
}

static void udp_unlisten(core_t *core, rtp_port_t *port)
{
    for (int n = 0; n < 2; n++) {
        port->ends[n].listened = false;
        forget_end(shard_of(core), port->sockets[n]);
        close(port->sockets[n]); /* which takes it out of its epoll */
        port->sockets[n] = -1;
    }
}

static void udp_urgent(core_t *core, rtp_port_t *port, bool urgent)
{
    struct wire_end *end = &port->ends[0];
    shard_t *shard = shard_of(core);
    if (!end->listened || end->urgent == urgent)
        return;
    epoll_ctl(end->urgent ? shard->epoll : shard->calm, EPOLL_CTL_DEL, port->sockets[0], NULL);
    end->urgent = urgent;
    watch_end(shard, port, 0);
}

/* The kernel derives a priority from the class of traffic, which stays as long as no other is asked for. */
static void udp_mark(core_t *core, rtp_port_t *port)
{
    (void)core;
    const rtp_settings_t *settings = &port->settings;
    for (int n = 0; n < 2; n++) {
        int fd = port->sockets[n];
        setsockopt(fd, IPPROTO_IP, IP_TOS, &settings->tos, sizeof settings->tos);
        if (is_ipv6(fd))
            setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &settings->tos, sizeof settings->tos);
        if (settings->cos > 0) /* 7 is for who may administer the network */
            setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &settings->cos, sizeof settings->cos);
    }
}

static void udp_moved(core_t *to, rtp_port_t *port, core_t *from)
{
    if (!port->ends[0].listened)
        return;
    shard_t *before = shard_of(from);
    epoll_ctl(port->ends[0].urgent ? before->epoll : before->calm, EPOLL_CTL_DEL, port->sockets[0], NULL);
    epoll_ctl(before->calm, EPOLL_CTL_DEL, port->sockets[1], NULL);
    for (int n = 0; n < 2; n++)
        forget_end(before, port->sockets[n]);
    watch_both(shard_of(to), port);
}

static _Thread_local const shard_t *own; /* whose thread this is; NULL on the owner's */

static void udp_wake(core_t *core)
{
    shard_t *shard = shard_of(core);
    if (shard != own)
        eventfd_write(shard->alarm, 1);
}

static int64_t udp_clock(core_t *core)
{
    (void)core;
    return shard_clock_ns();
}

static const wire_t udp_wire = {
    .send = udp_send,
    .listen = udp_listen,
    .unlisten = udp_unlisten,
    .urgent = udp_urgent,
    .mark = udp_mark,
    .moved = udp_moved,
    .wake = udp_wake,
    .clock_ns = udp_clock,
};

/* -- the thread -- */

/* When the kernel took the packet in, on our clock. */
static int64_t arrival_ns(const struct msghdr *message, int64_t now_ns, int64_t wall_offset_ns)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR((struct msghdr *)message, part))
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(part), sizeof at);
            int64_t taken_ns = at.tv_sec * SECOND_NS + at.tv_nsec - wall_offset_ns;
            return taken_ns > now_ns || taken_ns < now_ns - SECOND_NS ? now_ns : taken_ns;
        }
    return now_ns;
}

/* One datagram; false when there was none. */
static bool read_one(shard_t *shard, struct wire_end *end, int64_t now_ns)
{
    uint8_t data[MAX_PACKET];
    struct sockaddr_storage from;
    union {
        char room[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = data, .iov_len = sizeof data};
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof from,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t size = recvmsg(end->port->sockets[end->control], &message, MSG_DONTWAIT);
    if (size < 0)
        return false;
    address_t source;
    address_from(&source, &from);
    int64_t at_ns = arrival_ns(&message, now_ns, shard->core.wall_offset_ns);
    if (end->control)
        rtp_port_receive_control(end->port, data, (int)size, &source, at_ns);
    else
        rtp_port_receive(end->port, data, (int)size, &source, at_ns);
    return true;
}

/* Another look is cheap: a second packet of one socket waits for the next round. */
static void read_events(shard_t *shard, const struct epoll_event *events, int count, int64_t now_ns)
{
    for (int n = 0; n < count; n++) {
        struct wire_end *end = end_at(shard, events[n].data.fd);
        if (!end)
            continue;
        bool heard = read_one(shard, end, now_ns);
        if (heard && !end->control && end->urgent && !end->port->relay)
            udp_urgent(&shard->core, end->port, false);
    }
}

/* False when the calm epoll or the urgent one is none any more. */
static bool let_calm_wake(shard_t *shard, bool wakes)
{
    if (shard->calm_wakes == wakes)
        return true;
    shard->calm_wakes = wakes;
    return wakes ? watch(shard->epoll, shard->calm) : epoll_ctl(shard->epoll, EPOLL_CTL_DEL, shard->calm, NULL) == 0;
}

/* All that waits in the calm sockets, a few rounds of it at most; false when their epoll is none any more. */
static bool read_calm(shard_t *shard, int64_t now_ns, bool *any)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    *any = false;
    for (int round = 0; round < 64; round++) {
        int count = epoll_wait(shard->calm, events, EVENTS_AT_ONCE, 0);
        if (count < 0 && errno != EINTR)
            return false;
        if (count <= 0)
            break;
        *any = true;
        core_lock(&shard->core);
        read_events(shard, events, count, now_ns);
        core_unlock(&shard->core);
        if (count < EVENTS_AT_ONCE)
            break;
    }
    return true;
}

static bool look_at_waking(shard_t *shard, bool woke, int64_t now_ns)
{
    if (!woke && now_ns < shard->check_at_ns)
        return true;
    bool any;
    shard->check_at_ns = now_ns + CHECK_NS;
    if (!read_calm(shard, now_ns, &any))
        return false;
    if (!any)
        return true;
    bool thick = now_ns - shard->last_calm_ns < THICK_NS;
    shard->last_calm_ns = now_ns;
    if (!thick)
        return true;
    shard->look_at_ns = now_ns + LOOK_NS;
    return let_calm_wake(shard, false);
}

/*
 * Calm sockets wake the thread while little comes; when packets come thick they are looked at with every tick. False,
 * and errno, when that cannot go on.
 */
static bool look_at_calm(shard_t *shard, bool woke, bool tick_due, int64_t now_ns)
{
    if (shard->calm_wakes)
        return look_at_waking(shard, woke, now_ns);
    if (!tick_due && now_ns < shard->look_at_ns)
        return true;
    bool any;
    if (!read_calm(shard, now_ns, &any))
        return false;
    shard->look_at_ns = now_ns + (tick_due ? TICK_NS + LOOK_NS : LOOK_NS);
    if (any)
        shard->last_calm_ns = now_ns;
    else if (now_ns - shard->last_calm_ns > 5 * TICK_NS)
        return let_calm_wake(shard, true);
    return true;
}

/* When the thread looks up next; without ports there is nothing that could stay unheard. */
static int64_t next_look(const shard_t *shard, int64_t deadline, bool alone)
{
    int64_t look_at_ns = !shard->calm_wakes ? shard->look_at_ns : alone ? INT64_MAX : shard->check_at_ns;
    return look_at_ns < deadline ? look_at_ns : deadline;
}

static int timeout_ms(int64_t deadline, int64_t now_ns)
{
    if (deadline == INT64_MAX)
        return -1;
    int64_t ms = (deadline - now_ns) / MS_NS;
    return ms < 0 ? 0 : ms > 10000 ? 10000 : (int)ms;
}

/* epoll_wait, precise to a few microseconds. */
static int wait_for(shard_t *shard, struct epoll_event *events, int64_t deadline)
{
    int64_t now_ns = shard_clock_ns();
    int64_t left = deadline == INT64_MAX ? INT64_MAX : deadline - now_ns;
    if (left <= 0)
        return epoll_wait(shard->epoll, events, EVENTS_AT_ONCE, 0);
    struct timespec time = {.tv_sec = left / SECOND_NS, .tv_nsec = left % SECOND_NS};
    int count = epoll_pwait2(shard->epoll, events, EVENTS_AT_ONCE, left == INT64_MAX ? NULL : &time, NULL);
    if (count < 0 && errno == ENOSYS)
        count = epoll_wait(shard->epoll, events, EVENTS_AT_ONCE, timeout_ms(deadline, now_ns));
    return count;
}

static void rest(int64_t until_ns)
{
    struct timespec at = {.tv_sec = until_ns / SECOND_NS, .tv_nsec = until_ns % SECOND_NS};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* What woke the thread: the alarm is cleared, the calm epoll is told of, ends are left in the list. */
static int sort_out(shard_t *shard, struct epoll_event *events, int count, bool *calm)
{
    int ends = 0;
    for (int n = 0; n < count; n++) {
        eventfd_t value;
        if (events[n].data.fd == shard->alarm)
            eventfd_read(shard->alarm, &value);
        else if (events[n].data.fd == shard->calm)
            *calm = true;
        else
            events[ends++] = events[n];
    }
    return ends;
}

static int live(shard_t *shard)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t last_urgent_ns = 0;
    while (atomic_load(&shard->running)) {
        core_lock(&shard->core);
        int64_t deadline = core_deadline(&shard->core);
        bool alone = shard->core.port_count == 0;
        core_unlock(&shard->core);
        int count = wait_for(shard, events, next_look(shard, deadline, alone));
        if (count < 0 && errno != EINTR)
            return errno;
        bool calm = false;
        int ends = sort_out(shard, events, count < 0 ? 0 : count, &calm);
        int64_t now_ns = shard_clock_ns();
        if (!look_at_calm(shard, calm, now_ns >= deadline, now_ns))
            return errno;
        core_lock(&shard->core);
        shard->core.wall_offset_ns = wall_ns() - shard_clock_ns();
        shard->core.now_ns = now_ns;
        read_events(shard, events, ends, now_ns);
        core_run(&shard->core, shard_clock_ns());
        core_unlock(&shard->core);
        if (ends > 0 && now_ns - last_urgent_ns < REST_NS && now_ns + REST_NS < deadline)
            rest(now_ns + REST_NS);
        if (ends > 0)
            last_urgent_ns = now_ns;
    }
    return 0;
}

/* Audio goes before everything else of this process where that is allowed; where it is not, it is one thread of many. */
static void go_first(void)
{
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
}

static void *run_thread(void *argument)
{
    shard_t *shard = argument;
    own = shard;
    go_first();
    shard->failure = live(shard);
    atomic_store(&shard->alive, false);
    if (atomic_load(&shard->running))
        event_put(shard->core.events, EVENT_DIED, (uint64_t)shard->core.index, shard->failure, 0);
    return NULL;
}

static bool open_epolls(shard_t *shard)
{
    shard->epoll = epoll_create1(EPOLL_CLOEXEC);
    shard->calm = epoll_create1(EPOLL_CLOEXEC);
    shard->alarm = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (shard->epoll < 0 || shard->calm < 0 || shard->alarm < 0)
        return false;
    shard->calm_wakes = false;
    return let_calm_wake(shard, true) && watch(shard->epoll, shard->alarm);
}

static void close_epolls(shard_t *shard)
{
    int *fds[] = {&shard->epoll, &shard->calm, &shard->alarm};
    for (int n = 0; n < 3; n++) {
        if (*fds[n] >= 0)
            close(*fds[n]);
        *fds[n] = -1;
    }
}

bool shard_open(shard_t *shard, event_queue_t *events, atomic_uint_fast64_t *next_id, const settings_t *settings,
                int64_t epoch_ns)
{
    memset(shard, 0, sizeof *shard);
    shard->epoll = shard->calm = shard->alarm = -1;
    if (!core_open(&shard->core, &udp_wire, shard, events, next_id, settings, epoch_ns))
        return false;
    shard->core.threaded = true;
    shard->core.wall_offset_ns = wall_ns() - shard_clock_ns();
    if (open_epolls(shard))
        return true;
    close_epolls(shard);
    core_close(&shard->core);
    return false;
}

/* A thread that died may have left epolls nobody can use: new ones watch the same sockets. */
static bool reopen(shard_t *shard)
{
    close_epolls(shard);
    if (!open_epolls(shard))
        return false;
    for (port_t *port = shard->core.ports; port; port = port->next)
        if (port->kind == &rtp_kind && ((rtp_port_t *)port)->ends[0].listened)
            watch_both(shard, (rtp_port_t *)port);
    return true;
}

int shard_start(shard_t *shard)
{
    if (shard->joinable) {
        shard_stop(shard);
        core_lock(&shard->core);
        bool opened = reopen(shard);
        shard->core.ticking = false;
        core_unlock(&shard->core);
        if (!opened)
            return errno;
    }
    atomic_store(&shard->running, true);
    atomic_store(&shard->alive, true);
    shard->failure = 0;
    int error = pthread_create(&shard->thread, NULL, run_thread, shard);
    shard->joinable = error == 0;
    if (error)
        atomic_store(&shard->alive, false);
    return error;
}

void shard_stop(shard_t *shard)
{
    if (!shard->joinable)
        return;
    atomic_store(&shard->running, false);
    eventfd_write(shard->alarm, 1);
    pthread_join(shard->thread, NULL);
    shard->joinable = false;
}

void shard_close(shard_t *shard)
{
    shard_stop(shard);
    close_epolls(shard);
    shard->core.threaded = false;
    core_close(&shard->core);
    free(shard->ends);
    shard->ends = NULL;
}
