// Nothing here is needed to take part: it keeps videos in step, adds keys, and repeats a form that got lost on its way.
"use strict";

const form = document.getElementById("trial");
const videos = [...document.querySelectorAll("video")];
const questions = [...document.querySelectorAll(".question")];

// Videos start together and begin anew together, when the longest has ended.
const DRIFT = 0.06; // seconds
const AGAIN = 300; // milliseconds that the last frame stands

function start() {
  for (const video of videos) video.currentTime = 0;
  return Promise.allSettled(videos.map((video) => video.play()));
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
    video.addEventListener("ended", () => {
      if (videos.every((other) => other.ended || other.error)) setTimeout(start, AGAIN);
    });
  }
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

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (/^[0-9]$/.test(event.key)) {
    event.preventDefault();
    choose(event.key);
  } else if (event.key === "Enter" && !event.repeat && !["A", "BUTTON"].includes(document.activeElement.tagName)) {
    event.preventDefault();
    form.requestSubmit();
  }
}

// An answer that does not arrive is sent again until it does: the server takes the same one twice without harm.
const state = document.getElementById("state");
let sending = false;

async function send(body) {
  for (;;) {
    try {
      const answer = await fetch(form.action, { method: "POST", body, redirect: "follow" });
      if (answer.status < 500) return answer;
    } catch {
      // no connection
    }
    state.textContent = "No connection. Your answer is sent again until it arrives; please leave this page open.";
    await new Promise((done) => setTimeout(done, 2000));
  }
}

async function onSubmit(event) {
  event.preventDefault();
  if (sending) return;
  sending = true;
  const answer = await send(new URLSearchParams(new FormData(form)));
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
