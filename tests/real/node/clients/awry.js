'use strict';
// https://www.npmjs.com/package/awry: promises of answers; subscribes to everything unless it is told otherwise.

const awry = require('awry');

let api;
let socket;
let credentials;
const body = (request) => request.then((answer) => answer.data);

module.exports = {
  async connect(url, username, password) {
    credentials = { username, password };
    api = new awry.API({ baseUrl: `${url}/ari`, ...credentials });
    credentials.url = `${url.replace('http', 'ws')}/ari/events`;
    await api.asterisk.getInfo();
  },
  start: (app, take) => new Promise((resolve, reject) => {
    socket = awry.Events.connect({ app, subscribeAll: false, ...credentials });
    socket.on('message', take);
    socket.on('open', resolve);
    socket.on('error', reject);
  }),
  answer: (channelId) => api.channels.answer({ channelId }),
  play: (channelId, media) => body(api.channels.play({ channelId, media })),
  record: (channelId, name, format, terminateOn) => api.channels.record({ channelId, name, format, terminateOn }),
  createBridge: (type) => body(api.bridges.create({ type })),
  addChannels: (bridgeId, channel) => api.bridges.addChannel({ bridgeId, channel }),
  getBridge: (bridgeId) => body(api.bridges.get({ bridgeId })),
  getChannel: (channelId) => body(api.channels.get({ channelId })),
  hangup: (channelId) => api.channels.hangup({ channelId }),
  destroyBridge: (bridgeId) => api.bridges.destroy({ bridgeId }),
  refusal: (error) => ({ status: error.response.status, message: error.response.data.message }),
  stop: async () => socket.close(),
};
