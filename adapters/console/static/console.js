// The console's own script: the chat over server-sent events, and times in the reader's zone.
// Without it every form still works by plain posts.
"use strict";

const MAX_TEXT = 1024;

// ------------------------------------------------------------------------------------------------ times

const thisYear = new Date().getFullYear();

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const isToday = moment.toDateString() === new Date().toDateString();
    const clock = { hour: "2-digit", minute: "2-digit" };
    const day = { day: "numeric", month: "short", ...(moment.getFullYear() === thisYear ? {} : { year: "numeric" }) };
    time.textContent = isToday
      ? moment.toLocaleTimeString([], clock)
      : moment.toLocaleString([], { ...day, ...clock });
    time.title = moment.toLocaleString([], { dateStyle: "full", timeStyle: "long" });
  }
}

// ------------------------------------------------------------------------------------------------- menu

function closeMenuOutside(event) {
  for (const menu of document.querySelectorAll("details.who[open]")) {
    const isEscape = event.type === "keydown" && event.key === "Escape";
    if (isEscape) menu.querySelector("summary").focus();
    if (isEscape || (event.type === "click" && !menu.contains(event.target))) menu.open = false;
  }
}

// ------------------------------------------------------------------------------------------------- chat

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

class Chat {
  constructor(root) {
    this.root = root;
    this.log = root.querySelector("[data-log]");
    this.scroll = root.querySelector("[data-scroll]");
    this.typing = root.querySelector("[data-typing]");
    this.hello = root.querySelector("[data-hello]");
    this.anew = root.querySelector("[data-anew]");
    this.linkState = root.querySelector("[data-link-state]");
    this.composer = root.querySelector("[data-composer]");
    this.text = this.composer.elements.text;
    this.problem = root.querySelector("[data-problem]");
    this.count = root.querySelector("[data-count]");
    this.last = Number(root.dataset.last);
    this.inFlight = 0;
    this.unsent = null; // what could not be sent: sent again unchanged it keeps its key, so it counts once
    root.addEventListener("submit", (event) => this.onSubmit(event));
    this.text.addEventListener("keydown", (event) => this.onKey(event));
    this.text.addEventListener("input", () => this.onInput());
    this.listen();
    this.toEnd();
  }

  // -- hearing

  listen() {
    this.source = new EventSource(`/chat/events?talk=${this.root.dataset.talk}&after=${this.last}`);
    this.source.addEventListener("open", () => this.say(""));
    this.source.addEventListener("message", (event) => this.add(event.data));
    this.source.addEventListener("error", () => {
      // A stream that ends in good order opens again at once; only a silence that lasts is worth a word.
      clearTimeout(this.silence);
      this.silence = setTimeout(() => this.say("Connection lost, trying again…"), 4000);
      if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.listen(), 5000);
    });
    window.addEventListener("pagehide", () => this.source.close(), { once: true });
  }

  say(words) {
    clearTimeout(this.silence);
    this.linkState.textContent = words;
  }

  add(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const isAtEnd = this.isAtEnd();
    const added = [...holder.content.querySelectorAll(".message[data-seq]")].filter((m) => this.place(m));
    if (!added.length) return;
    this.hello.hidden = true;
    this.anew.hidden = false;
    if (isAtEnd) this.toEnd(added.find((m) => m.classList.contains("theirs")));
    document.body.dispatchEvent(new Event("said"));
  }

  // Two ways bring messages, the stream and the answer to a post: each is shown once, in order.
  place(message) {
    const seq = Number(message.dataset.seq);
    const known = [...this.log.querySelectorAll(".message[data-seq]")];
    if (known.some((m) => Number(m.dataset.seq) === seq)) return false;
    this.last = Math.max(this.last, seq);
    if (message.classList.contains("mine")) {
      this.log.querySelector(".message.pending")?.remove();
      this.retireQuestions(seq);
    } else {
      this.typing.hidden = true;
    }
    localise(message);
    const next = known.find((m) => Number(m.dataset.seq) > seq) ?? this.log.querySelector(".message.pending");
    this.log.insertBefore(message, next ?? null);
    return true;
  }

  retireQuestions(before) {
    for (const message of this.log.querySelectorAll(".message.theirs[data-seq]")) {
      if (Number(message.dataset.seq) < before) message.classList.add("past");
    }
  }

  // -- saying

  onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.composer.requestSubmit();
  }

  onInput() {
    const length = this.text.value.trim().length;
    this.count.textContent = length > MAX_TEXT * 0.8 ? `${length} of ${MAX_TEXT} characters` : "";
    this.complain("");
  }

  complain(words) {
    this.problem.textContent = words;
    this.problem.hidden = !words;
    this.text.setAttribute("aria-invalid", words ? "true" : "false");
  }

  async onSubmit(event) {
    const form = event.target.closest("form[data-send]");
    if (!form) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const isTyped = form === this.composer;
    const text = (body.get("text") ?? "").trim();
    if (isTyped && !text) return this.complain("Write something first.");
    if (isTyped && this.unsent?.text === text) body.set("key", this.unsent.key);
    body.set("after", String(this.last));
    body.set("talk", this.root.dataset.talk);
    const pending = text ? this.showPending(text) : null;
    if (isTyped) {
      this.text.value = "";
      form.elements.key.value = newKey();
      this.onInput();
    } else {
      this.press(form, event.submitter, true);
    }
    this.hello.hidden = true;
    this.text.focus();
    const failure = await this.post(body);
    if (failure && !this.log.querySelector("[data-seq]")) this.hello.hidden = false;
    if (!failure) {
      this.unsent = null;
      if (!isTyped && !text) this.retire(form);
      return;
    }
    pending?.remove();
    if (isTyped) {
      this.unsent = { text, key: body.get("key") };
      this.text.value = this.text.value.trim() ? `${text}\n${this.text.value}` : text;
    } else {
      this.press(form, event.submitter, false);
    }
    this.complain(failure);
    this.text.focus();
  }

  // Returns what went wrong in words, empty when nothing did.
  async post(body) {
    this.inFlight += 1;
    this.typing.hidden = false;
    this.toEnd();
    try {
      const answer = await fetch("/chat", { method: "POST", body, headers: { "x-console": "part" } });
      const html = await answer.text();
      if (answer.ok) {
        this.add(html);
        return "";
      }
      const holder = document.createElement("template");
      holder.innerHTML = html;
      return holder.content.textContent.trim() || "That did not work. Reload the page and try again.";
    } catch {
      return "Your message could not be sent. Check the connection and send it again.";
    } finally {
      this.inFlight -= 1;
      if (!this.inFlight) this.typing.hidden = true;
    }
  }

  showPending(text) {
    const message = document.createElement("li");
    message.className = "message mine pending";
    const bubble = document.createElement("p");
    bubble.className = "bubble";
    bubble.textContent = text;
    message.append(bubble);
    this.log.append(message);
    return message;
  }

  press(form, button, isPressed) {
    button?.classList.toggle("pressed", isPressed);
    for (const other of (form.closest(".buttons") ?? form).querySelectorAll("button")) other.disabled = isPressed;
  }

  // A press that arrived answers its question; buttons for later (such as Cancel) can be used again.
  retire(form) {
    if (form.matches(".transient")) {
      form.closest(".message")?.classList.add("past");
    } else {
      form.elements.key.value = newKey();
      this.press(form, form.querySelector("button"), false);
    }
  }

  // -- scrolling

  isAtEnd() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 120;
  }

  // To the end, but never past the top of what is new: a long plan is read from its beginning.
  toEnd(fresh) {
    const top = fresh ? fresh.getBoundingClientRect().top - this.scroll.getBoundingClientRect().top - 16 : Infinity;
    this.scroll.scrollTop += Math.min(top, this.scroll.scrollHeight);
  }
}

// ------------------------------------------------------------------------------------------------ start

localise(document);
document.addEventListener("htmx:after:swap", () => localise(document));
document.addEventListener("click", closeMenuOutside);
document.addEventListener("keydown", closeMenuOutside);
for (const root of document.querySelectorAll("[data-chat]")) new Chat(root);
