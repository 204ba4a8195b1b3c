/** Starts the kiosk page: its settings, its theme, and the lock that makes it the only one. */
import { App } from "./app.js";
import { takeLock } from "./onetab.js";
import { readSettings, loadSettings } from "./settings.js";
import { applyTheme } from "./theme.js";

async function main() {
  let settings;
  try {
    settings = await loadSettings();
  } catch (error) {
    console.warn("mien:", error);
    new App(readSettings({})).problem("server_gone", { then: () => location.reload() });
    return;
  }
  applyTheme(settings);
  const app = new App(settings);
  if (!window.isSecureContext) return app.problem("insecure", { then: () => location.reload() });
  await claim(app);
}

/**
 * Be the page's only tab, or say that there is another.
 * @param {App} app
 * @param {{steal?: boolean}} [options]
 */
async function claim(app, options) {
  const elsewhere = () => app.problem("second_tab", { action: "use_here", then: () => claim(app, { steal: true }) });
  if (await takeLock(elsewhere, options)) app.toStart();
  else elsewhere();
}

main();
