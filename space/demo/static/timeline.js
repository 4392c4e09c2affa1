// One axis of time: clicks and keys on any track move the player, the player moves the cursor on all of them.
// Everything listens at the document, for Gradio puts the tracks in place anew with each recording.
(() => {
  const playerOf = (element) => element.closest(".tab-of-one")?.querySelector(".seen audio") ?? null;
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
  let until = null; // where a stretch that is played on its own ends

  function seek(audio, seconds, play) {
    audio.currentTime = Math.max(0, Math.min(seconds, lengthOf(audio)));
    moveCursors(audio);
    if (play) audio.play().catch(() => {});
  }

  function lengthOf(audio) {
    return Number(audio.closest(".seen").dataset.seconds);
  }

  function moveCursors(audio) {
    const share = Math.min(1, audio.currentTime / lengthOf(audio));
    const tab = audio.closest(".tab-of-one");
    for (const cursor of tab.querySelectorAll(".cursor")) cursor.style.left = `${100 * share}%`;
    const slider = tab.querySelector(".seen .tracks");
    slider.setAttribute("aria-valuenow", audio.currentTime.toFixed(1));
    slider.setAttribute("aria-valuetext", `${clock(audio.currentTime)}, ${labelAt(tab, audio.currentTime)}`);
  }

  function segmentsOf(tab) {
    return JSON.parse(tab.querySelector(".stretches")?.dataset.segments ?? "[]");
  }

  function labelAt(tab, seconds) {
    const found = segmentsOf(tab).find(([, start, end]) => start <= seconds && seconds < end);
    return found ? { unsure: "can't tell" }[found[0]] ?? found[0] : "";
  }

  function drawMarks(tab) {
    const marks = tab.querySelector(".seen .marks");
    const stretches = tab.querySelector(".stretches");
    if (!marks || !stretches || marks.dataset.drawn === stretches.dataset.segments) return;
    marks.dataset.drawn = stretches.dataset.segments;
    marks.replaceChildren(
      ...segmentsOf(tab).filter(([label]) => label === "fake").map(([, start, end]) => {
        const mark = document.createElement("div");
        const seconds = Number(stretches.dataset.seconds);
        mark.style.left = `${(100 * start) / seconds}%`;
        mark.style.width = `${(100 * (end - start)) / seconds}%`;
        return mark;
      }),
    );
  }

  // The running verdict changes twice a second: only another word is worth being read out.
  function announceLive() {
    const voice = document.querySelector(".live-voice");
    const said = document.querySelector(".live h2")?.textContent ?? "";
    if (voice && said && voice.textContent !== said) voice.textContent = said;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-seek]");
    const tracks = event.target.closest?.(".tab-of-one .tracks");
    const audio = (button || tracks) && playerOf(button ?? tracks);
    if (!audio) return;
    until = button ? Number(button.dataset.until) : null;
    const box = tracks?.getBoundingClientRect();
    seek(audio, button ? Number(button.dataset.seek) : ((event.clientX - box.left) / box.width) * lengthOf(audio), true);
  });

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.('.seen .tracks[role="slider"]')) return;
    const audio = playerOf(event.target);
    const now = audio.currentTime;
    const goals = {
      ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1,
      PageDown: now - 10, PageUp: now + 10, Home: 0, End: lengthOf(audio),
    };
    if (event.key in goals) {
      until = null;
      seek(audio, goals[event.key], false);
    } else if (event.key === " " || event.key === "Enter") {
      if (audio.paused) audio.play().catch(() => {});
      else audio.pause();
    } else return;
    event.preventDefault();
  });

  // Events of media do not rise to the document, but they pass it on their way down.
  document.addEventListener("timeupdate", (event) => {
    if (!event.target.closest?.(".seen")) return;
    if (until !== null && event.target.currentTime >= until) {
      event.target.pause();
      until = null;
    }
    moveCursors(event.target);
  }, true);

  document.addEventListener("change", (event) => {
    if (event.target.matches?.(".show-effects")) {
      event.target.closest(".seen").classList.toggle("without-effects", !event.target.checked);
    }
  });

  new MutationObserver(() => {
    for (const tab of document.querySelectorAll(".tab-of-one")) drawMarks(tab);
    for (const box of document.querySelectorAll(".announced:not([aria-live])")) {
      box.setAttribute("aria-live", "polite");
      box.setAttribute("role", "status");
    }
    announceLive();
    document.documentElement.lang ||= "en";
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
