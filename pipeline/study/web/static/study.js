// Nothing here is needed to take part: it keeps videos in step, adds keys, and repeats a form that got lost on its way.
"use strict";

const form = document.getElementById("trial");
const videos = [...document.querySelectorAll("video")];
const questions = [...document.querySelectorAll(".question")];

// Videos start together and begin anew together, when the longest has ended.
const DRIFT = 0.06; // seconds
const AGAIN = 300; // milliseconds that the last frame stands

const state = document.getElementById("state");
let paused = false; // by the rater
let waiting = false; // for the rater to touch the page

async function start() {
  if (paused) return;
  for (const video of videos) video.currentTime = 0;
  const played = await Promise.allSettled(videos.map((video) => video.play()));
  if (played.some((one) => one.reason?.name === "NotAllowedError")) onceAllowed();
}

// Some browsers play nothing before the page was touched.
function onceAllowed() {
  waiting = true;
  state.textContent = "Your browser does not start the videos by itself. Press any key or click to play them.";
  for (const video of videos) video.controls = true;
  const play = () => {
    waiting = false;
    ["click", "keydown"].forEach((name) => document.removeEventListener(name, play));
    for (const video of videos) video.controls = false;
    state.textContent = "";
    start();
  };
  ["click", "keydown"].forEach((name) => document.addEventListener(name, play));
}

// Nobody can judge a clip that is not there.
function onBroken() {
  form.querySelector("button").disabled = true;
  const again = Object.assign(document.createElement("a"), { href: location.href, textContent: "Load this page again" });
  state.replaceChildren("A video could not be loaded. ", again);
}

function pauseOrPlay() {
  if (waiting) return;
  paused = !paused;
  const running = videos.filter((video) => !video.ended);
  if (paused) running.forEach((video) => video.pause());
  else if (running.length) running.forEach((video) => video.play());
  else start();
}

function keepInStep() {
  const running = videos.filter((video) => !video.ended && !video.paused);
  const latest = Math.min(...running.map((video) => video.currentTime));
  for (const video of running) if (video.currentTime - latest > DRIFT) video.currentTime = latest;
}

function whenLoaded(video) {
  if (video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA || video.error) return Promise.resolve();
  return new Promise((done) => ["canplay", "error"].forEach((name) => video.addEventListener(name, done, { once: true })));
}

function playTogether() {
  for (const video of videos) {
    video.loop = false;
    video.addEventListener("click", pauseOrPlay);
    video.addEventListener("error", onBroken);
    if (video.error) onBroken();
    video.addEventListener("ended", () => {
      if (videos.every((other) => other.ended || other.error)) setTimeout(start, AGAIN);
    });
  }
  document.querySelectorAll(".pausing").forEach((said) => (said.hidden = false));
  Promise.all(videos.map(whenLoaded)).then(start);
  setInterval(keepInStep, 200);
}

// Number keys answer the question that has the focus, else the first without an answer; Enter goes on.
function answered(question) {
  return question.querySelector("input:checked") !== null;
}

function active() {
  const focused = questions.find((question) => question.contains(document.activeElement));
  return focused ?? questions.find((question) => !answered(question)) ?? questions[questions.length - 1];
}

function mark() {
  if (questions.length < 2) return;
  const current = active();
  for (const question of questions) question.classList.toggle("active", question === current);
}

function choose(key) {
  const question = active();
  const input = question.querySelector(`input[data-key="${key}"]`);
  if (!input) return;
  input.checked = true;
  const next = questions.slice(questions.indexOf(question) + 1).find((other) => !answered(other));
  (next?.querySelector("input") ?? input).focus();
  mark();
}

// Where Space does nothing else: it chooses an answer, and presses buttons.
function isFree(focused) {
  return focused.tagName === "INPUT" ? focused.checked : !["A", "BUTTON"].includes(focused.tagName);
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (/^[0-9]$/.test(event.key)) {
    event.preventDefault();
    choose(event.key);
  } else if (event.key.toLowerCase() === "p" || (event.key === " " && isFree(document.activeElement))) {
    event.preventDefault();
    if (!event.repeat) pauseOrPlay();
  } else if (event.key === "Enter" && !event.repeat && !["A", "BUTTON"].includes(document.activeElement.tagName)) {
    event.preventDefault();
    form.requestSubmit();
  }
}

// An answer that does not arrive is sent again until it does: the server takes the same one twice without harm.
let sending = false;

async function send() {
  for (;;) {
    let fault = "No connection.";
    try {
      const body = new URLSearchParams(new FormData(form)); // anew each time: who waits may choose otherwise
      const answer = await fetch(form.action, { method: "POST", body, redirect: "follow" });
      if (answer.status < 500) return answer;
      fault = "The server does not answer.";
    } catch {
      // no connection
    }
    state.textContent = `${fault} Your answer is sent again until it arrives; please leave this page open.`;
    await new Promise((done) => setTimeout(done, 2000));
  }
}

async function onSubmit(event) {
  event.preventDefault();
  if (sending || videos.some((video) => video.error)) return;
  sending = true;
  const answer = await send();
  if (answer.ok) location.assign(answer.url);
  else form.submit(); // the server says once more what is wrong, on a page
}

playTogether();
if (form) {
  document.addEventListener("keydown", onKey);
  document.addEventListener("focusin", mark);
  form.addEventListener("submit", onSubmit);
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  mark();
}
