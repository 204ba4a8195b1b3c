// What a page does with <mien-camera>: it begins when the customer agrees, and says what came out.
const camera = document.getElementById("camera");
const [start, end] = ["start", "end"].map((id) => document.getElementById(id));
const result = document.getElementById("result");

start.addEventListener("click", () => {
  camera.options = { consent: "given", snapshotInterval: 0.25 };
  camera.start();
  [start.disabled, end.disabled] = [true, false];
});
end.addEventListener("click", () => camera.end());

camera.addEventListener("mien-update", ({ detail }) => {
  const { score, verdict } = detail.state.satisfaction;
  result.value = `${Math.round(100 * score)} of 100 (${verdict})`;
});
camera.addEventListener("mien-summary", ({ detail }) => {
  result.value = `In the end: ${Math.round(100 * detail.overall.score)} of 100`;
});
camera.addEventListener("mien-problem", ({ detail }) => {
  result.value = detail.message;
});
camera.addEventListener("mien-state", ({ detail }) => {
  if (detail === "ended") [start.disabled, end.disabled] = [false, true];
});
