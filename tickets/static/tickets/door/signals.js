// Sounds and vibrations, another for each kind of result, so that nobody has to look.
// [frequency in Hz, start in s, length in s] of each tone, and a vibration in ms.

const SIGNALS = {
  good: { wave: "sine", tones: [[880, 0, 0.12], [1320, 0.12, 0.22]], shake: [90] },
  already: { wave: "triangle", tones: [[520, 0, 0.16], [520, 0.26, 0.16]], shake: [120, 90, 120] },
  bad: { wave: "square", tones: [[240, 0, 0.2], [160, 0.2, 0.45]], shake: [400, 120, 400] },
  unchecked: {
    wave: "square",
    tones: [[200, 0, 0.1], [200, 0.2, 0.1], [200, 0.4, 0.1]],
    shake: [80, 80, 80, 80, 80],
  },
};

const LOUD = 0.7;
const hint = document.querySelector("[data-sound-hint]");
let audio = null;

/** Browsers are silent until somebody has touched the page: called at every touch and key. */
function unlock() {
  audio ??= window.AudioContext ? new AudioContext() : null;
  if (audio?.state === "suspended") audio.resume();
  hint.hidden = true;
}

function play({ wave, tones }) {
  if (audio?.state !== "running") return;
  for (const [frequency, start, length] of tones) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const from = audio.currentTime + start;
    tone.type = wave;
    tone.frequency.value = frequency;
    // Ends softly: a cut tone clicks.
    volume.gain.setValueAtTime(wave === "square" ? LOUD / 3 : LOUD, from);
    volume.gain.setTargetAtTime(0, from + length * 0.7, length * 0.1);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + length);
  }
}

/** Sound and shake for a result's tone: good, already, bad or unchecked. */
export function signal(tone) {
  const { shake, ...sound } = SIGNALS[tone];
  play(sound);
  navigator.vibrate?.(shake);
}

/** Show how to get sound, where the browser says that the page has not been touched yet. */
export function askForTouch() {
  hint.hidden = navigator.userActivation?.hasBeenActive !== false;
}

// For a finger, browsers count the touch only once it is lifted.
for (const type of ["pointerup", "keydown"]) document.addEventListener(type, unlock, true);
