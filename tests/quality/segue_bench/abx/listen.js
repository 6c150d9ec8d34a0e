"use strict";

// --- What is said in files: no DOM here, so that tests run it alone. -------------------------------------------------

// FNV-1a, 32 bits, over UTF-8: guards against slips of the hand, as seal_of in key.py says.
function seal(test, rater, votes) {
  const lines = [test, rater].concat(votes.map((v) => `${v.pair} ${v.choice} ${v.heard_a} ${v.heard_b}`));
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(lines.join("\n"))) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  return value.toString(16).padStart(8, "0");
}

// The file of one rater: only pairs voted on, in the order of the page.
function votesFile(test, rater, pairs, state) {
  const votes = pairs
    .filter((pair) => state[pair.id] && state[pair.id].choice)
    .map((pair) => ({
      pair: pair.id,
      choice: state[pair.id].choice,
      heard_a: state[pair.id].heard_a,
      heard_b: state[pair.id].heard_b,
    }));
  return JSON.stringify({ format: 1, test, rater, votes, seal: seal(test, rater, votes) }, null, 1);
}

// The first pair without a vote; the number of pairs if there is none.
function firstOpen(pairs, state) {
  const open = pairs.findIndex((pair) => !(state[pair.id] && state[pair.id].choice));
  return open < 0 ? pairs.length : open;
}

// --- The page. -------------------------------------------------------------------------------------------------------

function page() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const sides = { a: at("play-a"), b: at("play-b") };
  const ballots = { A: at("vote-a"), none: at("vote-none"), B: at("vote-b") };
  let audio = null, buffers = {}, playing = null, last = "a", rater = "", state = {}, index = 0, turn = 0;

  const slot = () => `segue-abx-${data.test}-${rater}`;
  const keep = () => { try { localStorage.setItem(slot(), JSON.stringify(state)); } catch { say("This browser keeps nothing: save before you leave."); } };
  const recall = () => { try { return JSON.parse(localStorage.getItem(slot())) || {}; } catch { return {}; } };
  const say = (text) => { at("said").textContent = text; };
  const current = () => data.pairs[index];
  const entry = () => (state[current().id] ||= { heard_a: 0, heard_b: 0, choice: null });
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

  function stop() {
    if (!playing) return;
    playing.source.onended = null;
    playing.source.stop();
    sides[playing.side].setAttribute("aria-pressed", "false");
    playing = null;
  }

  function play(side) {
    if (!buffers[side]) return;
    stop();
    audio.resume();
    const source = audio.createBufferSource();
    source.buffer = buffers[side];
    source.connect(audio.destination);
    source.onended = () => { entry()[`heard_${side}`] += 1; keep(); stop(); ready(); };  // heard is heard to its end
    source.start();
    playing = { source, side, began: audio.currentTime };
    last = side;
    sides[side].setAttribute("aria-pressed", "true");
    requestAnimationFrame(follow);
  }

  function follow() {
    if (!playing) return;
    const share = (audio.currentTime - playing.began) / playing.source.buffer.duration;
    at("head").style.left = `${100 * Math.min(1, Math.max(0, share))}%`;
    requestAnimationFrame(follow);
  }

  function ready() {
    const heard = entry().heard_a > 0 && entry().heard_b > 0;
    for (const [choice, button] of Object.entries(ballots)) {
      button.disabled = !heard;
      button.setAttribute("aria-pressed", String(entry().choice === choice));
    }
  }

  async function show(next) {
    stop();
    index = next;
    const over = index >= data.pairs.length;
    at("start").hidden = true;
    at("trial").hidden = over;
    at("end").hidden = !over;
    at("save").hidden = false;
    if (over) { at("save").focus(); return; }
    buffers = {};
    const mine = ++turn;
    at("place").textContent = `Pair ${index + 1} of ${data.pairs.length}`;
    at("progress").max = data.pairs.length;
    at("progress").value = index;
    at("head").style.left = "0";
    ready();
    const [a, b] = await Promise.all([audio.decodeAudioData(bytes(current().a)), audio.decodeAudioData(bytes(current().b))]);
    if (mine !== turn) return;  // another pair was asked for meanwhile
    buffers = { a, b };
    const [from, to] = current().gap;
    at("gap").style.left = `${(100 * from) / a.duration}%`;
    at("gap").style.width = `${(100 * (to - from)) / a.duration}%`;
  }

  function vote(choice) {
    if (ballots[choice].disabled) return;
    entry().choice = choice;
    keep();
    show(index + 1);
  }

  function begin() {
    rater = at("rater").value.trim();
    if (!rater) { at("rater").focus(); return; }
    audio ||= new AudioContext();
    state = recall();
    show(firstOpen(data.pairs, state));
  }

  function save() {
    const file = new Blob([votesFile(data.test, rater, data.pairs, state)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `votes-${data.test}-${rater.replace(/[^\p{L}\p{N}]+/gu, "-")}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    say("Saved.");
  }

  const keys = {
    1: () => play("a"), a: () => play("a"),
    2: () => play("b"), b: () => play("b"),
    " ": () => (playing ? stop() : play(last)),
    ArrowLeft: () => vote("A"), ArrowDown: () => vote("none"), ArrowRight: () => vote("B"),
    Backspace: () => index > 0 && show(index - 1),
  };
  document.addEventListener("keydown", (event) => {
    if (at("trial").hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  sides.a.onclick = () => play("a");
  sides.b.onclick = () => play("b");
  for (const [choice, button] of Object.entries(ballots)) button.onclick = () => vote(choice);
  at("begin").onclick = begin;
  at("rater").onkeydown = (event) => { if (event.key === "Enter") begin(); };
  at("back").onclick = () => show(data.pairs.length - 1);
  at("save").onclick = save;
}

if (typeof document !== "undefined") page();
