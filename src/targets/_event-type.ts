/** https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event: of an `event_type`. */
export const EVENT_TYPE_CHARS_MAX = 100;
