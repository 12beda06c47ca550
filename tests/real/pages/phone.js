// A phone in a browser, driven by the tests: JsSIP as it is, and ears that measure what they hear.
"use strict";

const MICROPHONE = { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false }, video: false };
const notes = [];
let ua, session, analyser, context;

function note(what) {
  notes.push(what);
}

function listen(stream) {
  document.getElementById("ear").srcObject = stream;
  context = new AudioContext();
  analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaStreamSource(stream).connect(analyser);
}

function watch(connection) {
  connection.addEventListener("track", (event) => {
    note("track");
    listen(event.streams[0] ?? new MediaStream([event.track]));
  });
  connection.addEventListener("connectionstatechange", () => note(`connection ${connection.connectionState}`));
  connection.addEventListener("iceconnectionstatechange", () => note(`ice ${connection.iceConnectionState}`));
}

window.register = (socketUrl, uri, password) =>
  new Promise((resolve, reject) => {
    ua = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(socketUrl)], uri, password, register: true });
    ua.on("registered", () => resolve("registered"));
    ua.on("registrationFailed", (event) => reject(new Error(`registration failed: ${event.cause}`)));
    ua.on("newRTCSession", (event) => {
      session = event.session;
      for (const name of ["progress", "accepted", "confirmed", "ended", "failed", "hold", "unhold"])
        session.on(name, (told) => note(`${name}${told.cause ? ` ${told.cause}` : ""}`));
      session.on("peerconnection", (told) => watch(told.peerconnection));
      if (session.connection) watch(session.connection);
      if (event.originator === "remote") note("rings");
    });
    ua.start();
  });

window.call = (target) => void ua.call(target, { mediaConstraints: MICROPHONE });

window.answer = () => session.answer({ mediaConstraints: MICROPHONE });
window.hangUp = () => session.terminate();
window.hold = () => new Promise((resolve) => session.hold({}, () => resolve("held")));
window.unhold = () => new Promise((resolve) => session.unhold({}, () => resolve("unheld")));
window.sendDigits = (digits) => session.sendDTMF(digits, { transportType: "RFC2833", duration: 100 });
window.restartIce = () =>
  new Promise((resolve) => session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () => resolve("restarted")));
window.happened = () => notes;

// How much louder a frequency is than the mean of all others, in decibels.
window.hears = (frequency) => {
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  const levels = [...bins].map((level) => Math.max(level, -150)); // of silence it is minus infinity
  const place = Math.round((frequency * analyser.fftSize) / context.sampleRate);
  const near = Math.max(...levels.slice(place - 3, place + 4));
  const others = levels.filter((level, index) => Math.abs(index - place) > 20);
  const mean = others.reduce((sum, level) => sum + level, 0) / others.length;
  return near - mean;
};

window.statistics = async () => {
  const found = {};
  for (const report of (await session.connection.getStats()).values()) {
    if (report.type === "inbound-rtp") found.inbound = report;
    if (report.type === "outbound-rtp") found.outbound = report;
    if (report.type === "transport") found.transport = report;
    if (report.type === "codec") (found.codecs ??= []).push(report.mimeType);
    if (report.type === "remote-inbound-rtp") found.heardOfUs = report;
  }
  return JSON.parse(JSON.stringify(found));
};
