// Draws Adaptive Cards as Teams does, about: light and dark, in a page of 560 pixels.
"use strict";

const COLOURS = {
  light: { ground: "#ffffff", text: "#242424", subtle: "#616161", good: "#0e700e", warning: "#835c00",
           attention: "#b10e1c", accent: "#444791", line: "#d1d1d1" },
  dark: { ground: "#292929", text: "#ffffff", subtle: "#adadad", good: "#9ad29a", warning: "#f2c661",
          attention: "#eeacb2", accent: "#9299f7", line: "#525252" },
};

function hostConfig(theme) {
  const c = COLOURS[theme];
  const shades = {};
  for (const [name, colour] of Object.entries({ default: c.text, dark: c.text, light: c.subtle, accent: c.accent,
                                                good: c.good, warning: c.warning, attention: c.attention })) {
    shades[name] = { default: colour, subtle: name === "default" ? c.subtle : colour };
  }
  return new AdaptiveCards.HostConfig({
    supportsInteractivity: true,
    fontFamily: "'Segoe UI', Inter, 'Liberation Sans', sans-serif",
    fontSizes: { small: 12, default: 14, medium: 16, large: 18, extraLarge: 24 },
    fontWeights: { lighter: 300, default: 400, bolder: 600 },
    lineHeights: { small: 16, default: 20, medium: 22, large: 24, extraLarge: 32 },
    spacing: { small: 4, default: 8, medium: 12, large: 16, extraLarge: 20, padding: 16 },
    separator: { lineThickness: 1, lineColor: c.line },
    containerStyles: { default: { backgroundColor: c.ground, foregroundColors: shades } },
    actions: { maxActions: 6, buttonSpacing: 8, actionsOrientation: "horizontal", actionAlignment: "left" },
    inputs: {
      label: { requiredInputs: { weight: "bolder", suffix: " *", suffixColor: "attention" },
               optionalInputs: { weight: "bolder" }, inputSpacing: "small" },
      errorMessage: { color: "attention", size: "small" },
    },
    table: { cellSpacing: 6 },
  });
}

// Returns the card's element; what the library complains about goes to the console, as an error.
function drawCard(content, theme, onExecute) {
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = hostConfig(theme);
  card.designMode = false;
  const context = new AdaptiveCards.SerializationContext();
  card.parse(content, context);
  for (let n = 0; n < context.eventCount; n++) console.error("adaptive card: " + context.getEventAt(n).message);
  for (const fault of card.validateProperties().validationEvents) console.error("adaptive card: " + fault.message);
  card.onExecuteAction = action => {
    if (action instanceof AdaptiveCards.OpenUrlAction) window.open(action.url, "_blank", "noopener");
    else if (onExecute) onExecute({ type: "Action.Execute", verb: action.verb, data: action.data || {} });
  };
  const element = card.render();
  for (const link of element.querySelectorAll("a")) link.rel = "noopener";
  return element;
}

function drawMessage(activity, theme, onExecute) {
  const box = document.createElement("div");
  box.className = "message";
  for (const attachment of activity.attachments || []) {
    const frame = document.createElement("div");
    frame.className = "card";
    frame.append(drawCard(attachment.content, theme, onExecute));
    box.append(frame);
  }
  if (!activity.attachments) {
    const words = document.createElement("div");
    words.className = "bubble";
    words.textContent = activity.entities ? activity.text.replace(/<at>(.*?)<\/at>/, "@$1") : activity.text;
    box.append(words);
  }
  return box;
}
