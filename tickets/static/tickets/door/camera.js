// The camera, and the worker that reads its pictures one at a time.

const LARGEST = 1280; // pixels of a picture's longer side
const PAUSE = 80; // milliseconds between pictures: the phone stays cool, the eye sees no delay
const CHOSEN = "door.camera";

const WANTED = { width: { ideal: 1280 }, height: { ideal: 720 } };
const REAR = { ...WANTED, facingMode: { ideal: "environment" } };

/** The error that a browser gives instead of a camera, and the state that we show for it. */
const REFUSALS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** The worker that decodes; calls onReady once, then onText after every picture. */
function openDecoder({ urls, onReady, onText, onBroken }) {
  const worker = new Worker(urls.decoder);
  worker.onmessage = ({ data }) => {
    if (data.ready) onReady();
    else if (data.broken) onBroken();
    else onText(data.text);
  };
  worker.onerror = onBroken;
  const absolute = (url) => new URL(url, location.href).href;
  worker.postMessage({ reader: absolute(urls.reader), wasm: absolute(urls.wasm) });
  return {
    read: ({ data, width, height }) =>
      worker.postMessage({ pixels: data.buffer, width, height }, [data.buffer]),
  };
}

/** Ask for the remembered camera, else for the one at the back. */
async function openStream() {
  const chosen = localStorage.getItem(CHOSEN);
  if (chosen) {
    try {
      const video = { ...WANTED, deviceId: { exact: chosen } };
      return await navigator.mediaDevices.getUserMedia({ video });
    } catch (error) {
      if (REFUSALS[error.name] !== "none") throw error;
      localStorage.removeItem(CHOSEN);
    }
  }
  return navigator.mediaDevices.getUserMedia({ video: REAR });
}

/**
 * video: the element to show it in; urls: {decoder, reader, wasm}; onCode(text) for every code
 * seen, many times a second while it is in view; onState(state, {cameras, torch}) with state
 * off, starting, on, denied, none, busy, insecure, broken or lost.
 */
export function openCamera({ video, urls, onCode, onState }) {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let decoder = null;
  let canRead = false; // the worker is ready for a picture
  let stream = null;
  let isWanted = false;
  let attempt = 0; // counts starts and stops: a camera that opens after a stop is released at once
  let awake = null;

  const track = () => stream?.getVideoTracks()[0];

  function look() {
    if (!stream || !canRead) return;
    if (video.readyState < video.HAVE_CURRENT_DATA || !video.videoWidth) {
      setTimeout(look, PAUSE);
      return;
    }
    const scale = Math.min(1, LARGEST / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    canRead = false;
    decoder.read(context.getImageData(0, 0, canvas.width, canvas.height));
  }

  function openReader() {
    decoder ??= openDecoder({
      urls,
      onReady() {
        canRead = true;
        look();
      },
      onText(text) {
        canRead = true;
        if (text && stream) onCode(text);
        setTimeout(look, PAUSE);
      },
      onBroken() {
        decoder = null; // another start tries another worker
        canRead = false;
        close("broken");
      },
    });
  }

  async function stayAwake() {
    awake = await navigator.wakeLock?.request("screen").catch(() => null);
    if (!stream) awake?.release().catch(() => {});
  }

  async function tellOn() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter((device) => device.kind === "videoinput").length;
    const torch = Boolean(track()?.getCapabilities?.().torch);
    if (stream) onState("on", { cameras, torch });
  }

  async function start() {
    isWanted = true;
    if (stream) return;
    if (!navigator.mediaDevices?.getUserMedia) {
      onState("insecure");
      return;
    }
    onState("starting");
    const mine = ++attempt;
    try {
      const opened = await openStream();
      if (mine !== attempt || document.hidden) {
        opened.getTracks().forEach((each) => each.stop());
        return;
      }
      stream = opened;
      track().addEventListener("ended", () => close("lost"));
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      // Where the camera was stopped meanwhile, play() fails too: there is nothing to say.
      if (mine === attempt) close(REFUSALS[error.name] ?? "busy");
      return;
    }
    if (mine !== attempt) return;
    openReader();
    look();
    stayAwake();
    tellOn();
  }

  /** Stop the tracks, so that the phone's camera light goes off. */
  function release() {
    attempt += 1;
    stream?.getTracks().forEach((each) => each.stop());
    stream = null;
    video.srcObject = null;
    awake?.release().catch(() => {});
    awake = null;
  }

  function close(state) {
    isWanted = false;
    release();
    onState(state);
  }

  /** Go on to the device's next camera, and remember it. */
  async function useNext() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const ids = devices.filter((device) => device.kind === "videoinput").map((d) => d.deviceId);
    const next = ids[(ids.indexOf(track()?.getSettings().deviceId) + 1) % ids.length];
    if (next) localStorage.setItem(CHOSEN, next);
    release();
    await start();
  }

  /** Switch the light; returns whether it is on now. */
  async function setTorch(on) {
    try {
      await track().applyConstraints({ advanced: [{ torch: on }] });
      return on;
    } catch {
      return false;
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) release();
    else if (isWanted) start();
  });

  return { start, stop: () => close("off"), useNext, setTorch };
}

/** Whether this page was given the camera before, so that it may start by itself. */
export async function mayStart() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state === "granted";
  } catch {
    return false; // this browser cannot say; it asks at the next start
  }
}
