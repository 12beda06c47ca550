'use strict';
// One story for every client: hello world, digits, a recording played back, two phones in a bridge, an error. Each
// line it prints is one thing that happened, as JSON; whoever plays the phones reads along.
//
//   node whole_story.js ari-client|awry|ipcom http://127.0.0.1:8088 asterisk asterisk

const WITHIN_MS = 20000;
const [name, url, user, password] = process.argv.slice(2);
const tell = (what, more) => process.stdout.write(`${JSON.stringify({ what, ...more })}\n`);

/** The events of a client, to be waited for one after the other; each is given once. */
class Events {
  constructor() {
    this.came = [];
    this.look = () => {};
    this.take = (event) => { this.came.push(event); this.look(); };
  }

  next(type, about = () => true) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${type} came`)), WITHIN_MS);
      this.look = () => {
        const index = this.came.findIndex((event) => event.type === type && about(event));
        if (index < 0) return;
        clearTimeout(timer);
        this.look = () => {};
        resolve(this.came.splice(index, 1)[0]);
      };
      this.look();
    });
  }
}

async function story(client) {
  const events = new Events();
  await client.connect(url, user, password);
  await client.start('hello-world', events.take);
  tell('started');

  const first = (await events.next('StasisStart')).channel;
  tell('StasisStart', { name: first.name, number: first.caller.number });
  await client.answer(first.id);
  const hello = await client.play(first.id, 'sound:hello-world');
  await events.next('PlaybackStarted', (event) => event.playback.id === hello.id);
  tell('played', (await events.next('PlaybackFinished', (event) => event.playback.id === hello.id)).playback);

  tell('press a digit');
  const pressed = await events.next('ChannelDtmfReceived');
  tell('pressed', { digit: pressed.digit, mine: pressed.channel.id === first.id });

  await client.record(first.id, 'story', 'wav', '#');
  tell('recording', { state: (await events.next('RecordingStarted')).recording.state });
  const recorded = (await events.next('RecordingFinished')).recording;
  tell('recorded', { name: recorded.name, state: recorded.state, format: recorded.format });
  const again = await client.play(first.id, 'recording:story');
  tell('played back', (await events.next('PlaybackFinished', (event) => event.playback.id === again.id)).playback);

  tell('call again');
  const second = (await events.next('StasisStart')).channel;
  const bridge = await client.createBridge('mixing');
  await client.addChannels(bridge.id, [first.id, second.id]);
  await events.next('ChannelEnteredBridge', (event) => event.channel.id === second.id);
  const members = (await client.getBridge(bridge.id)).channels;
  tell('bridged', { members: members.length, both: members.includes(first.id) && members.includes(second.id) });

  try {
    await client.getChannel('nobody');
    tell('no error');
  } catch (error) {
    tell('refused', client.refusal(error));
  }

  tell('talk to each other');
  await events.next('ChannelDtmfReceived', (event) => event.channel.id === second.id);
  await client.hangup(first.id);
  await events.next('StasisEnd', (event) => event.channel.id === first.id);
  await client.hangup(second.id);
  await events.next('StasisEnd', (event) => event.channel.id === second.id);
  await client.destroyBridge(bridge.id);
  tell('over');
  await client.stop();
}

const fail = (error) => {
  tell('failed', { message: String((error && (error.stack || error.message)) || error) });
  process.exit(1);
};
process.on('unhandledRejection', fail);
for (const level of ['log', 'info', 'warn', 'error']) console[level] = () => {}; // what a client says besides
story(require(`./clients/${name}`)).then(() => process.exit(0), fail);
