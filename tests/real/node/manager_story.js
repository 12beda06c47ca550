'use strict';
// A call that is made, watched and ended with asterisk-manager: each line it prints is one thing that happened, as JSON.
//
//   node manager_story.js 127.0.0.1 5038 admin secret

const Manager = require('asterisk-manager');

const [host, port, user, password] = process.argv.slice(2);
const tell = (what, more) => console.log(JSON.stringify({ what, ...more }));
const fail = (what) => (error) => {
  tell('error', { at: what, message: String((error && error.message) || error) });
  process.exit(1);
};

const ami = new Manager(Number(port), host, user, password, true);
ami.on('error', fail('connection'));
ami.on('event', () => {});

const ask = (action, then) => ami.action(action, (error, reply) => {
  if (error) fail(action.action)(error);
  tell(action.action, { response: reply.response, actionid: reply.actionid });
  then(reply);
});

ami.on('managerevent', (event) => {
  const mine = event.uniqueid === 'story' || event.destuniqueid === 'story';
  if (mine && event.event !== 'OriginateResponse') {
    tell(event.event, { channel: event.destchannel || event.channel, cause: event.cause, status: event.dialstatus });
  }
  if (event.event === 'OriginateResponse') {
    tell('OriginateResponse', { response: event.response, uniqueid: event.uniqueid });
    ask({ action: 'hangup', channel: event.channel, cause: 16 }, () => {});
  }
  if (event.event === 'Hangup' && event.uniqueid === 'story') {
    ask({ action: 'logoff' }, () => process.exit(0));
  }
});

ami.on('connect', () => {
  ask({ action: 'ping' }, () => ask({
    action: 'originate',
    channel: 'Local/1200@default',
    application: 'Wait',
    data: '30',
    async: 'true',
    channelid: 'story',
    variable: { COLOUR: 'red', SIZE: 'large' },
  }, () => {}));
});
