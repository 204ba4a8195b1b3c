/** One camera serves one tab: a Web Lock says which. */

const NAME = "mien-kiosk";

/**
 * Take the page's lock.
 * @param {() => void} lost it was taken by another tab
 * @param {{steal?: boolean}} [options] take it from the tab that has it
 * @returns {Promise<boolean>} whether this tab has it
 */
export function takeLock(lost, { steal = false } = {}) {
  if (!navigator.locks) return Promise.resolve(true); // an insecure page has none, and no camera either
  return new Promise((resolve) => {
    navigator.locks
      .request(NAME, steal ? { steal: true } : { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise(() => {}); // held until the tab is closed or it is stolen
      })
      .catch(lost);
  });
}
