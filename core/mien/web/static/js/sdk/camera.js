import { Problem, deviceProblem } from "./problem.js";

/** A camera that gives no picture for so long has hung, milliseconds. */
const HANGS_AFTER = 6000;

const WANTED = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } };

/**
 * Open a camera and show it in a video element.
 * @param {HTMLVideoElement} video
 * @param {string} [deviceId] the system's default, if empty
 * @returns {Promise<MediaStream>}
 * @throws {Problem}
 */
export async function openCamera(video, deviceId = "") {
  const devices = requireDevices();
  const wanted = deviceId ? { ...WANTED, deviceId: { exact: deviceId } } : WANTED;
  let stream;
  try {
    stream = await devices.getUserMedia({ video: wanted, audio: false });
  } catch (error) {
    throw deviceProblem(error, "camera");
  }
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  await video.play().catch(() => {}); // an element that is not shown yet plays when it is
  return stream;
}

/**
 * The browser's devices, which it gives to secure pages alone.
 * @returns {MediaDevices}
 * @throws {Problem}
 */
export function requireDevices() {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    throw new Problem("insecure", "a browser gives a camera only to https pages and to http://localhost");
  }
  return navigator.mediaDevices;
}

/** @param {MediaStream | null} stream */
export function closeStream(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * Tell once when a camera is unplugged or hangs.
 * @param {HTMLVideoElement} video
 * @param {MediaStream} stream
 * @param {(problem: Problem) => void} tell
 * @returns {() => void} stops watching
 */
export function watchCamera(video, stream, tell) {
  const track = stream.getVideoTracks()[0];
  let seen = -1;
  const lost = () => {
    stop();
    tell(new Problem("camera_lost", "the camera gives no more pictures"));
  };
  const timer = setInterval(() => {
    if (document.hidden) return; // a browser may pause what nobody sees
    if (video.currentTime === seen) lost();
    seen = video.currentTime;
  }, HANGS_AFTER);
  const stop = () => {
    clearInterval(timer);
    track?.removeEventListener("ended", lost);
  };
  track?.addEventListener("ended", lost);
  return stop;
}
