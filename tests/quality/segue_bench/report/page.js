"use strict";

const players = Array.from(document.querySelectorAll(".take"), (take) => ({
  audio: take.querySelector("audio"),
  picture: take.querySelector(".picture"),
  head: take.querySelector(".head"),
}));

for (const { audio, picture, head } of players) {
  const follow = () => {
    head.style.left = `${(100 * audio.currentTime) / (audio.duration || 1)}%`;
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", () => {
    for (const other of players) if (other.audio !== audio) other.audio.pause();
    head.style.opacity = 1;
    follow();
  });
  audio.addEventListener("seeked", follow);
  picture.addEventListener("click", (event) => {
    const share = event.offsetX / picture.clientWidth;
    const start = () => { audio.currentTime = share * audio.duration; audio.play(); };
    if (audio.readyState > 0) start();
    else { audio.addEventListener("loadedmetadata", start, { once: true }); audio.load(); }
  });
}
