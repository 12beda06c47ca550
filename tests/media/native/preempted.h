/* Included before everything: a thread is preempted, now and then, just after it was told which sockets are readable. */
#include <sys/epoll.h>
#include <stdlib.h>
#include <unistd.h>

static inline int preempted(int count)
{
    static _Thread_local unsigned state = 1;
    state = state * 1664525 + 1013904223;
    if (count > 0 && state >> 28 == 0)
        usleep(30000);
    return count;
}

static inline int preempted_wait(int epoll, struct epoll_event *events, int most, int timeout_ms)
{
    return preempted(epoll_wait(epoll, events, most, timeout_ms));
}
#define epoll_wait preempted_wait

static inline int preempted_pwait2(int epoll, struct epoll_event *events, int most, const struct timespec *timeout)
{
    return preempted(epoll_pwait2(epoll, events, most, timeout, NULL));
}
#define epoll_pwait2(epoll, events, most, timeout, mask) preempted_pwait2(epoll, events, most, timeout)
