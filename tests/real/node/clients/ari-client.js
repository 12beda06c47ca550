'use strict';
// https://www.npmjs.com/package/ari-client: its methods are made of the API documents that the server gives it.

const library = require('ari-client');

const TYPES = ['StasisStart', 'StasisEnd', 'PlaybackStarted', 'PlaybackFinished', 'ChannelDtmfReceived',
  'RecordingStarted', 'RecordingFinished', 'ChannelEnteredBridge'];
let ari;

module.exports = {
  async connect(url, user, password) {
    ari = await library.connect(url, user, password);
    await ari.asterisk.ping();
  },
  async start(app, take) {
    for (const type of TYPES) ari.on(type, take);
    await ari.start(app);
  },
  answer: (channelId) => ari.channels.answer({ channelId }),
  play: (channelId, media) => ari.channels.play({ channelId, media }),
  record: (channelId, name, format, terminateOn) => ari.channels.record({ channelId, name, format, terminateOn }),
  createBridge: (type) => ari.bridges.create({ type }),
  addChannels: (bridgeId, channel) => ari.bridges.addChannel({ bridgeId, channel }),
  getBridge: (bridgeId) => ari.bridges.get({ bridgeId }),
  getChannel: (channelId) => ari.channels.get({ channelId }),
  hangup: (channelId) => ari.channels.hangup({ channelId }),
  destroyBridge: (bridgeId) => ari.bridges.destroy({ bridgeId }),
  refusal: (error) => ({ message: JSON.parse(error.message).message }),
  stop: async () => ari.stop(),
};
