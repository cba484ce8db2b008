// Follows one login while the person works with the card. What arrives is shown as text, never as markup.
"use strict";
(() => {
  const wait = document.getElementById("wait");
  const events = new EventSource(wait.dataset.events);

  events.addEventListener("progress", (event) => {
    const told = JSON.parse(event.data);
    wait.dataset.code = told.code;
    document.getElementById("progress").textContent = told.text;
    if (told.number) {
      document.getElementById("number").textContent = told.number;
      document.getElementById("number-box").hidden = false;
    }
    if (told.code === "agent_not_seen") {
      document.getElementById("help").open = true;
    }
  });

  events.addEventListener("go", (event) => {
    const next = new URL(JSON.parse(event.data).url, location.href);
    if (next.protocol !== "https:" && next.protocol !== "http:") {
      return;
    }
    events.close();
    location.replace(next.href);
  });

  // A browser may close the stream for good, for instance when it opens a program's link.
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) {
      setTimeout(() => location.reload(), 3000);
    }
  });
})();
