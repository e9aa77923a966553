/* The keys of a phone: numbers choose, soft keys go back and home, arrows move. ES5, for Gecko 48 (KaiOS 2.5).
   Without this file every page works by its buttons. */
(function () {
  "use strict";

  var ZERO_WAIT = 800; // milliseconds for the second 0 of 00, and for the second digit of a number
  var page = document.getElementById("page");
  var pressed = null; // the button that sends a form
  var typed = ""; // digits of a choice so far
  var typedTimer = 0;
  var idleTimer = 0;
  var outTimer = 0;
  var busy = false;
  var shownAt = 0;

  document.documentElement.className = "script";

  function find(selector) {
    return page.querySelector(selector);
  }

  function list() {
    var box = idleBox();
    var within = box && !box.hidden ? box : find("main");
    var all = within.querySelectorAll("a[href], button, input:not([type=hidden])");
    return Array.prototype.filter.call(all, function (one) {
      var hiddenIn = closest(one, "idle");
      return (within === hiddenIn || !hiddenIn) && (one.id !== "text" || isTyping() || isOpen()) && !(one.getAttribute("data-key") === "ok" && !isTyping() && !isOpen());
    });
  }

  function closest(element, name) {
    while (element && element !== page) {
      if (element.classList.contains(name)) {
        return element;
      }
      element = element.parentNode;
    }
    return null;
  }

  function idleBox() {
    return find(".idle");
  }

  function textField() {
    return document.getElementById("text");
  }

  function isTyping() {
    var field = textField();
    return !!field && (field.hasAttribute("data-typing") || field.name !== "text");
  }

  function isOpen() {
    return !!find(".typed.open");
  }

  function click(key) {
    var target = find('[data-key="' + key + '"]');
    if (target) {
      target.click();
    }
    return !!target;
  }

  function say(text) {
    var note = document.createElement("p");
    note.className = "note";
    note.setAttribute("role", "alert");
    note.textContent = text;
    var main = find("main");
    if (main.firstElementChild && main.firstElementChild.className === "note") {
      main.removeChild(main.firstElementChild);
    }
    main.insertBefore(note, main.firstChild);
    window.scrollTo(0, 0);
  }

  // Show a page in the place of this one: the history keeps one entry, and nothing of what was typed.
  function load(method, path, body) {
    var request = new XMLHttpRequest();
    busy = true;
    request.open(method, path, true);
    request.responseType = "document";
    request.timeout = 30000;
    if (body !== null) {
      request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    }
    request.onload = function () {
      var next = request.response && request.response.getElementById("page");
      busy = false;
      if (next) {
        show(document.importNode(next, true), request.response.documentElement.lang);
      } else {
        say(page.getAttribute("data-offline"));
      }
    };
    request.onerror = request.ontimeout = function () {
      busy = false;
      say(page.getAttribute("data-offline"));
    };
    request.send(body);
  }

  function show(next, language) {
    page.parentNode.replaceChild(next, page);
    page = next;
    if (language) {
      document.documentElement.lang = language;
    }
    begin();
  }

  function encode(form) {
    var pairs = [];
    Array.prototype.forEach.call(form.elements, function (one) {
      if (one.name && (one.tagName !== "BUTTON" || one === pressed)) {
        pairs.push(encodeURIComponent(one.name) + "=" + encodeURIComponent(one.value));
      }
    });
    return pairs.join("&");
  }

  function begin() {
    var field = textField();
    var first = find(".options button, .ways button, .ways a, .idle + form button");
    pressed = null;
    typed = "";
    clearTimeout(typedTimer);
    shownAt = Date.now();
    window.scrollTo(0, 0);
    if (field && field.hasAttribute("autofocus")) {
      field.focus();
    } else if (first) {
      first.focus();
      window.scrollTo(0, 0);
    } else {
      find("main").focus();
    }
    watchIdle();
  }

  function watchIdle() {
    clearTimeout(idleTimer);
    clearTimeout(outTimer);
    if (page.hasAttribute("data-idle")) {
      idleTimer = setTimeout(askIdle, page.getAttribute("data-idle") * 1000);
    }
  }

  function askIdle() {
    var box = idleBox();
    box.hidden = false;
    box.querySelector("button").focus();
    find('[data-soft="left"]').textContent = box.getAttribute("data-left");
    find('[data-soft="middle"]').textContent = box.getAttribute("data-middle");
    find('[data-soft="right"]').textContent = "";
    outTimer = setTimeout(leave, page.getAttribute("data-answer") * 1000);
  }

  function leave() {
    var box = idleBox();
    if (box) {
      box.hidden = true;
    }
    var text = textField();
    if (text) {
      text.value = "";
    }
    signOut();
  }

  function signOut() {
    var form = find('form[action="/kaios/sign-out"]');
    if (form) {
      pressed = null;
      load("POST", "/kaios/sign-out", encode(form));
    }
  }

  // A phone that slept did not count the time.
  document.addEventListener("visibilitychange", function () {
    var seconds = (Date.now() - shownAt) / 1000;
    if (!document.hidden && page.hasAttribute("data-idle")) {
      var idle = Number(page.getAttribute("data-idle"));
      if (seconds >= idle + Number(page.getAttribute("data-answer"))) {
        leave();
      } else if (seconds >= idle && idleBox().hidden) {
        askIdle();
      }
    }
  });

  document.addEventListener("click", function (event) {
    var target = event.target;
    while (target && target !== document && target.tagName !== "BUTTON" && target.tagName !== "A" && !(target.getAttribute && target.getAttribute("data-soft"))) {
      target = target.parentNode;
    }
    if (!target || target === document) {
      return;
    }
    if (target.tagName === "BUTTON") {
      pressed = target;
    } else if (target.tagName === "A" && target.hasAttribute("data-replace")) {
      event.preventDefault();
      if (!busy) {
        load("GET", target.getAttribute("href"), null);
      }
    } else if (target.getAttribute("data-soft")) {
      press({ left: "SoftLeft", middle: "Enter", right: "SoftRight" }[target.getAttribute("data-soft")]);
    }
  });

  document.addEventListener("submit", function (event) {
    event.preventDefault();
    if (!busy) {
      load("POST", event.target.getAttribute("action"), encode(event.target));
    }
  });

  function move(step) {
    var all = list();
    var at = all.indexOf(document.activeElement);
    var next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
    if (next) {
      next.focus();
    } else {
      window.scrollBy(0, step * 120);
    }
  }

  function stopDigits() {
    clearTimeout(typedTimer);
    typed = "";
  }

  // Whether more digits can follow: 00 after 0, 98 after 9, 12 after 1.
  function canGrow(digits) {
    return Array.prototype.some.call(page.querySelectorAll("[data-key]"), function (one) {
      var key = one.getAttribute("data-key");
      return key.length > digits.length && key.indexOf(digits) === 0;
    });
  }

  function choose() {
    var digits = typed;
    var field = textField();
    stopDigits();
    if (!digits || click(digits) || !field) {
      return;
    }
    field.value = digits; // an option of another page, or none: the gateway knows
    click("ok");
  }

  function takeDigit(digit) {
    var box = find(".typed.small");
    typed += digit;
    clearTimeout(typedTimer);
    if (box) {
      box.classList.add("open");
      textField().value = typed;
    }
    if (typed.length < 2 && (canGrow(typed) || !find('[data-key="' + typed + '"]'))) {
      typedTimer = setTimeout(choose, ZERO_WAIT);
    } else {
      choose();
    }
  }

  // What a key does; false for one that the browser shall handle.
  function press(key) {
    var active = document.activeElement;
    var isInField = !!active && active.id === "text" && isTyping();
    if (busy) {
      return key === "Enter" || key.indexOf("Soft") === 0;
    }
    if (idleBox() && !idleBox().hidden) {
      return pressIdle(key);
    }
    switch (key) {
      case "SoftLeft":
        return click("left") || click("0") || click("out") || true;
      case "SoftRight":
        return click("right") || click("00") || true;
      case "Enter":
        return pressEnter(active, isInField);
      case "ArrowDown":
        move(1);
        return true;
      case "ArrowUp":
        move(-1);
        return true;
      case "Backspace":
        if (typed) {
          stopDigits();
          textField().value = "";
          return true;
        }
        return isInField && active.value ? false : click("0") || click("left");
      case "*":
        return !isInField && click("00");
      case "#":
        return !isInField && click("98");
      default:
        return /^[0-9]$/.test(key) && !isInField && pressDigit(key);
    }
  }

  // A digit chooses; where there is nothing to choose, it goes into the field.
  function pressDigit(digit) {
    var field = textField();
    if (find(".press") && field && (!isTyping() || find(".options"))) {
      takeDigit(digit);
      return true;
    }
    if (field) {
      field.focus();
    }
    return false;
  }

  function pressEnter(active, isInField) {
    if (typed) {
      choose();
      return true;
    }
    if (isInField) {
      return click("ok") || click("right");
    }
    if (active && (active.tagName === "BUTTON" || active.tagName === "A")) {
      active.click();
      return true;
    }
    return click("right");
  }

  function pressIdle(key) {
    if (key === "SoftLeft" || key === "Backspace") {
      signOut();
      return true;
    }
    if (key === "Enter" || key === "SoftRight" || key === "1") {
      idleBox().querySelector("button").click();
      return true;
    }
    return key.indexOf("Arrow") === 0;
  }

  document.addEventListener("keydown", function (event) {
    if (!event.altKey && !event.ctrlKey && !event.metaKey && press(event.key)) {
      event.preventDefault();
    }
  });

  begin();
})();
