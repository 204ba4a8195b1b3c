/**
 * Every word of the page, in each language. A key with ``_voice`` takes the place of the same without it where the
 * microphone is on; a key with ``_consent`` where the customer must agree. Braces are filled in.
 */
export const STRINGS = {
  en: {
    language_name: "English",
    loading: "One moment…",
    language: "Language",
    read_aloud: "Read aloud",
    stop_reading: "Stop reading",

    start_title: "How was it today?",
    start_lead: "If you like, a computer estimates from your face how satisfied you are. It takes half a minute.",
    start_lead_voice: "If you like, a computer estimates from your face and your words how satisfied you are. It takes half a minute.",
    fact_not_kept: "No picture is kept",
    fact_not_kept_voice: "No picture, no sound is kept",
    fact_not_known: "You are not identified",
    fact_stop: "Stop whenever you like",
    begin: "Start",
    begin_consent: "I agree – start",
    decline: "No, thank you",
    notice: "This is emotion recognition by AI. The camera is off until you start. If you would rather not, simply walk on.",
    notice_voice: "This is emotion recognition by AI. Camera and microphone are off until you start. If you would rather not, simply walk on.",
    touch_to_begin: "Touch to begin",

    live_title: "Measuring",
    live_pill: "Live · nothing is kept",
    camera_picture: "Your camera picture",
    your_face: "Your face, as it was found",
    hint_look: "Please look at the camera",
    hint_starting: "Starting the camera…",
    hint_first: "Looking for your face…",
    hint_small: "Please come a little closer",
    hint_dark: "It is too dark to see you well",
    satisfaction: "Satisfaction",
    verdict_good: "Looks satisfied",
    verdict_poor: "Looks dissatisfied",
    verdict_undecided: "Hard to tell",
    verdict_unspecified: "Not enough seen yet",
    interval: "likely {low} to {high} of 100",
    score_text: "{score} of 100: {verdict}",
    mismatch: "Face and words say different things",
    emotions: "Your expression",
    streams: "What it rests on",
    stream_face: "Face",
    stream_voice: "Voice",
    stream_text: "Words",
    stream_share: "{share} % of the result",
    hide_words: "Hide words",
    show_words: "Show words",
    listening: "Listening…",
    progress: "Progress",
    progress_text: "{done} of {all} looks",
    finish: "Finish",
    connecting: "Just a moment, the service is starting…",
    reconnecting: "The connection is lost. Trying again…",
    restarted: "The connection is back. The measurement began anew.",
    no_microphone: "No microphone: only the face counts",

    end_eyebrow: "Thank you",
    end_title: "How satisfied are you?",
    rate_1: "Not at all",
    rate_2: "Not really",
    rate_3: "So-so",
    rate_4: "Quite",
    rate_5: "Very",
    skip: "Skip",
    summary: "What the computer made of it",
    summary_text: "{score} of 100",
    deleted: "Every picture has been deleted",
    deleted_voice: "Every picture and all sound has been deleted",
    thanks_title: "Thank you",
    thanks_text: "Your answer helps us to do better.",
    ended_text: "That was all. Have a good day.",
    next_customer: "Somebody else stepped in, so this has ended.",
    declined_title: "That is fine",
    declined_text: "The camera stayed off and nothing was recorded. Have a good day.",

    again: "Try again",
    use_here: "Use it here",
    to_start: "Back to the start",
    problem_insecure: "This page is not secure",
    problem_insecure_text: "A browser gives a camera only to a secure page. Open it with https://, or on the machine itself as http://localhost.",
    problem_camera_refused: "The camera is not allowed",
    problem_camera_refused_text: "Allow the camera for this page: press the camera or lock symbol in the address bar, then try again.",
    problem_camera_missing: "There is no camera",
    problem_camera_missing_text: "Plug a camera in, then try again.",
    problem_camera_busy: "The camera is in use",
    problem_camera_busy_text: "Close the other program that uses the camera, or plug the camera in anew, then try again.",
    problem_camera_lost: "The camera is gone",
    problem_camera_lost_text: "It gives no more pictures. Check its plug, then try again.",
    problem_server_gone: "No connection",
    problem_server_gone_text: "The service does not answer. This page tries again by itself; if it lasts, please tell the staff.",
    problem_server_refused: "The service refused",
    problem_server_refused_text: "Please tell the staff what stands below.",
    problem_second_tab: "Open in another tab",
    problem_second_tab_text: "This page runs in another tab of this browser, and a camera serves one at a time.",

    emotion_angry: "Angry", emotion_anger: "Angry", emotion_disgust: "Disgusted", emotion_fear: "Afraid",
    emotion_happy: "Happy", emotion_happiness: "Happy", emotion_sad: "Sad", emotion_sadness: "Sad",
    emotion_surprise: "Surprised", emotion_neutral: "Neutral", emotion_contempt: "Contemptuous",
  },
  de: {
    language_name: "Deutsch",
    loading: "Einen Moment…",
    language: "Sprache",
    read_aloud: "Vorlesen",
    stop_reading: "Vorlesen beenden",

    start_title: "Wie war es heute?",
    start_lead: "Wenn Sie mögen, schätzt ein Computer an Ihrem Gesicht, wie zufrieden Sie sind. Das dauert eine halbe Minute.",
    start_lead_voice: "Wenn Sie mögen, schätzt ein Computer an Ihrem Gesicht und Ihren Worten, wie zufrieden Sie sind. Das dauert eine halbe Minute.",
    fact_not_kept: "Kein Bild wird gespeichert",
    fact_not_kept_voice: "Kein Bild, kein Ton wird gespeichert",
    fact_not_known: "Sie werden nicht erkannt",
    fact_stop: "Jederzeit zu beenden",
    begin: "Starten",
    begin_consent: "Ich stimme zu – starten",
    decline: "Nein, danke",
    notice: "Das ist Emotionserkennung durch KI. Die Kamera bleibt aus, bis Sie starten. Wenn Sie nicht möchten, gehen Sie einfach weiter.",
    notice_voice: "Das ist Emotionserkennung durch KI. Kamera und Mikrofon bleiben aus, bis Sie starten. Wenn Sie nicht möchten, gehen Sie einfach weiter.",
    touch_to_begin: "Zum Beginnen berühren",

    live_title: "Messung läuft",
    live_pill: "Live · nichts wird gespeichert",
    camera_picture: "Ihr Kamerabild",
    your_face: "Ihr Gesicht, wie es gefunden wurde",
    hint_look: "Bitte in die Kamera schauen",
    hint_starting: "Die Kamera startet…",
    hint_first: "Ihr Gesicht wird gesucht…",
    hint_small: "Bitte etwas näher kommen",
    hint_dark: "Es ist zu dunkel, um Sie gut zu sehen",
    satisfaction: "Zufriedenheit",
    verdict_good: "Wirkt zufrieden",
    verdict_poor: "Wirkt unzufrieden",
    verdict_undecided: "Schwer zu sagen",
    verdict_unspecified: "Noch nicht genug gesehen",
    interval: "vermutlich {low} bis {high} von 100",
    score_text: "{score} von 100: {verdict}",
    mismatch: "Gesicht und Worte sagen Verschiedenes",
    emotions: "Ihr Ausdruck",
    streams: "Worauf es beruht",
    stream_face: "Gesicht",
    stream_voice: "Stimme",
    stream_text: "Worte",
    stream_share: "{share} % des Ergebnisses",
    hide_words: "Worte verbergen",
    show_words: "Worte zeigen",
    listening: "Hört zu…",
    progress: "Fortschritt",
    progress_text: "{done} von {all} Blicken",
    finish: "Beenden",
    connecting: "Einen Moment, der Dienst startet…",
    reconnecting: "Die Verbindung ist unterbrochen. Neuer Versuch…",
    restarted: "Die Verbindung steht wieder. Die Messung begann neu.",
    no_microphone: "Kein Mikrofon: nur das Gesicht zählt",

    end_eyebrow: "Vielen Dank",
    end_title: "Wie zufrieden sind Sie?",
    rate_1: "Gar nicht",
    rate_2: "Wenig",
    rate_3: "Geht so",
    rate_4: "Zufrieden",
    rate_5: "Sehr",
    skip: "Überspringen",
    summary: "Was der Computer daraus schloss",
    summary_text: "{score} von 100",
    deleted: "Alle Bilder sind gelöscht",
    deleted_voice: "Alle Bilder und aller Ton sind gelöscht",
    thanks_title: "Vielen Dank",
    thanks_text: "Ihre Antwort hilft uns, besser zu werden.",
    ended_text: "Das war alles. Einen schönen Tag noch.",
    next_customer: "Jemand anderes steht jetzt hier, deshalb ist die Messung zu Ende.",
    declined_title: "Das ist in Ordnung",
    declined_text: "Die Kamera blieb aus, und nichts wurde aufgezeichnet. Einen schönen Tag noch.",

    again: "Noch einmal versuchen",
    use_here: "Hier verwenden",
    to_start: "Zum Anfang",
    problem_insecure: "Diese Seite ist nicht sicher",
    problem_insecure_text: "Ein Browser gibt eine Kamera nur einer sicheren Seite. Öffnen Sie sie mit https://, oder am Gerät selbst als http://localhost.",
    problem_camera_refused: "Die Kamera ist nicht erlaubt",
    problem_camera_refused_text: "Erlauben Sie die Kamera für diese Seite: auf das Kamera- oder Schlosszeichen in der Adresszeile drücken, dann noch einmal versuchen.",
    problem_camera_missing: "Es gibt keine Kamera",
    problem_camera_missing_text: "Stecken Sie eine Kamera an, und versuchen Sie es noch einmal.",
    problem_camera_busy: "Die Kamera ist belegt",
    problem_camera_busy_text: "Schließen Sie das andere Programm, das die Kamera verwendet, oder stecken Sie sie neu an, und versuchen Sie es noch einmal.",
    problem_camera_lost: "Die Kamera ist weg",
    problem_camera_lost_text: "Sie gibt keine Bilder mehr. Prüfen Sie den Stecker, und versuchen Sie es noch einmal.",
    problem_server_gone: "Keine Verbindung",
    problem_server_gone_text: "Der Dienst antwortet nicht. Diese Seite versucht es von selbst wieder; wenn es dauert, sagen Sie es bitte dem Personal.",
    problem_server_refused: "Der Dienst lehnt ab",
    problem_server_refused_text: "Bitte sagen Sie dem Personal, was unten steht.",
    problem_second_tab: "In einem anderen Tab offen",
    problem_second_tab_text: "Diese Seite läuft in einem anderen Tab dieses Browsers, und eine Kamera dient nur einem.",

    emotion_angry: "Ärger", emotion_anger: "Ärger", emotion_disgust: "Ekel", emotion_fear: "Angst",
    emotion_happy: "Freude", emotion_happiness: "Freude", emotion_sad: "Trauer", emotion_sadness: "Trauer",
    emotion_surprise: "Überraschung", emotion_neutral: "Neutral", emotion_contempt: "Verachtung",
  },
};

/**
 * Words in one language.
 *
 * @typedef {object} Words
 * @property {string} language BCP 47
 * @property {(key: string, values?: Record<string, string | number>) => string} say
 * @property {(key: string) => boolean} has
 */

/**
 * @param {string} language one of STRINGS; another takes English
 * @param {object} [options]
 * @param {string[]} [options.variants] suffixes that go before the plain key, such as "voice"
 * @param {Record<string, string>} [options.texts] words of the shop's own, by key
 * @returns {Words}
 */
export function words(language, { variants = [], texts = {} } = {}) {
  const chosen = language in STRINGS ? language : "en";
  const table = /** @type {Record<string, string>} */ ({ ...STRINGS[/** @type {"en"} */ (chosen)], ...texts });
  const find = (/** @type {string} */ key) => {
    // The shop's own words for a key hold in every variant, unless it wrote the variant, too.
    const keys = [...variants.map((variant) => `${key}_${variant}`), key];
    const own = keys.find((one) => one in texts);
    return table[own ?? keys.find((one) => one in table) ?? ""];
  };
  return {
    language: chosen,
    has: (key) => find(key) !== undefined,
    say: (key, values = {}) =>
      (find(key) ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole)),
  };
}
