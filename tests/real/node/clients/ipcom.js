'use strict';
// https://www.npmjs.com/package/@ipcom/asterisk-ari: instances of channels and playbacks, typed events.

const { AriClient } = require('@ipcom/asterisk-ari');

const TYPES = ['StasisStart', 'StasisEnd', 'PlaybackStarted', 'PlaybackFinished', 'ChannelDtmfReceived',
  'RecordingStarted', 'RecordingFinished', 'ChannelEnteredBridge'];
let client;

// Its events carry the instances besides; the story wants what was sent.
const plain = ({ instanceChannel, instancePlayback, instanceBridge, ...event }) => event;

module.exports = {
  async connect(url, username, password) {
    const { hostname: host, port } = new URL(url);
    client = new AriClient({ host, port: Number(port), username, password, secure: false });
    await client.asterisk.ping();
  },
  async start(app, take) {
    await client.connectWebSocket([app]);
    for (const type of TYPES) client.on(type, (event) => take(plain(event)));
  },
  answer: (channelId) => client.Channel(channelId).answer(),
  play: (channelId, media) => client.Channel(channelId).play({ media }),
  record: (channelId, name, format, terminateOn) => client.channels.record(channelId, { name, format, terminateOn }),
  createBridge: (type) => client.bridges.createBridge({ type }),
  addChannels: (bridgeId, channel) => client.bridges.addChannels(bridgeId, { channel }),
  getBridge: (bridgeId) => client.bridges.get(bridgeId),
  getChannel: (channelId) => client.channels.get(channelId),
  hangup: (channelId) => client.channels.hangup(channelId),
  destroyBridge: (bridgeId) => client.bridges.destroy(bridgeId),
  refusal: (error) => ({ status: error.status, message: error.message }),
  stop: () => client.destroy(),
};
