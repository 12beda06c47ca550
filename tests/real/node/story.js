'use strict';
// The tutorial's story with ari-client: each line it prints is one thing that happened, as JSON.
//
//   node story.js http://127.0.0.1:8088 asterisk asterisk

const client = require('ari-client');

const [url, user, password] = process.argv.slice(2);
const tell = (what, more) => console.log(JSON.stringify({ what, ...more }));
const fail = (error) => {
  tell('error', { message: String((error && error.message) || error) });
  process.exit(1);
};

process.on('unhandledRejection', fail);

client.connect(url, user, password, (error, ari) => {
  if (error) fail(error);

  ari.on('StasisStart', (event, incoming) => {
    tell('StasisStart', { args: event.args, name: incoming.name, number: incoming.caller.number });
    const playback = ari.Playback();

    incoming.once('StasisEnd', () => {
      tell('StasisEnd');
      ari.channels.list().then((channels) => {
        tell('channels', { count: channels.length });
        ari.stop();
        process.exit(0);
      }).catch(fail);
    });
    playback.once('PlaybackStarted', (_, started) => tell('PlaybackStarted', { state: started.state }));
    playback.once('PlaybackFinished', (_, finished) => {
      tell('PlaybackFinished', { state: finished.state, media: finished.media_uri });
      incoming.getChannelVar({ variable: 'CHANNEL(name)' })
        .then((variable) => {
          tell('variable', { value: variable.value });
          return incoming.hangup();
        })
        .then(() => tell('hung up'))
        .catch(fail);
    });

    incoming.answer()
      .then(() => incoming.play({ media: 'sound:hello-world' }, playback))
      .then((played) => tell('playing', { queued: played.state, mine: played.id === playback.id }))
      .catch(fail);
  });

  ari.asterisk.ping()
    .then((answer) => tell('ping', { answer: answer.ping }))
    .then(() => ari.start('hello-world'))
    .then(() => tell('started'))
    .catch(fail);
});
