/** How each vendor's webhooks are set up, in a sentence: for docs/sources.md. Addresses are `/webhooks/<name>`. */
export const SOURCE_SETUP: Readonly<Record<string, string>> = {
  airtable:
    "Create the webhook by the API (`POST /v0/bases/<base>/webhooks`); the answer's `macSecretBase64` is the secret, as it is, and comes only once. An event says that a base has changes: a target fetches them.",
  asana:
    "Deploy the source first (the secret may have any value until then), then create the webhook by the API (`POST /webhooks`): Sluice answers the handshake, and the API's answer holds the secret as `X-Hook-Secret`. Each webhook has its own: name them all.",
  bitbucket: "*Repository settings*, *Webhooks*, *Add webhook*; its *Secret* is the secret.",
  buildkite:
    "*Settings*, *Notification Services*, *Webhook*; choose to send the token as an encrypted signature (`X-Buildkite-Signature`). The token is the secret.",
  calendly:
    "Create the subscription by the API (`POST /webhook_subscriptions`) with a `signing_key` of your choice: the secret.",
  chargebee:
    "*Settings*, *Configure Chargebee*, *Webhooks*; switch basic authentication on. The secret is `<user name>:<password>`.",
  circleci: "*Project Settings*, *Webhooks*; its *Secret token* is the secret.",
  clerk: "*Configure*, *Webhooks*, *Add Endpoint*; its *Signing Secret* is the secret.",
  cursor: "Name the address and a secret of at least 32 characters in `webhook` when you create an agent by the API.",
  deepgram:
    "Give the callback as `https://<user name>:<password>@<your worker>/webhooks/deepgram`. The secret is `<user name>:<password>`. Only `POST` is taken.",
  discord:
    "*General Information* of your app: its *Public Key* is the secret; then save the address as *Interactions Endpoint URL* or under *Webhooks*.",
  dropbox:
    "Set the *App secret* of your app's *Settings* as the secret, deploy, then add the address under *Webhooks*: Dropbox asks it at once. Its notifications have neither an id nor a time: each is an event of its own, and one that names the same accounts as one before is flagged as a possible replay, so don't choose `replays: refuse`.",
  elevenlabs: "*Settings*, *Webhooks*, *Add Webhook*, with HMAC; the secret is shown once.",
  gitlab:
    "*Settings*, *Webhooks*, *Add new webhook*; its signing token (`whsec_…`) is the secret, or its secret token, which proves less. A request that has a signature is verified by it, never by the token.",
  hookdeck:
    "Keep *Hookdeck Signature* as the destination's authentication; the project's signing secret is under *Settings*, *Secrets*. The body is the first sender's, a JSON object or a form.",
  hubspot: "Your app's *Webhooks*; the app's *Client secret* is the secret.",
  intercom: "*Developer Hub*, your app, *Webhooks*; the *Client secret* under *Basic information* is the secret.",
  launchdarkly: "*Integrations*, *Webhooks*; check *Sign this webhook*. Its secret is the secret.",
  linear: "*Settings*, *API*, *Webhooks*, *New webhook*; its *Signing secret* is the secret.",
  mailgun:
    "*Sending*, *Webhooks*; the *HTTP webhook signing key* there is the secret. Messages that a *route* forwards are another form, and refused.",
  meta: "Your app's *Webhooks*: the *Verify token* is of your choice and stands in the secret that `verify-token` names; the *App Secret* under *App settings*, *Basic* is the other secret.",
  notion:
    "Deploy the source with `auth: none`, create the subscription under the integration's *Webhooks*, and look up `data.verification_token` of the event `com.notion.verification` (`npm run sluice -- events`, then `event <id> --json`). Paste it at Notion, set it as the secret, and deploy with `secrets`.",
  openai: "*Project settings*, *Webhooks*, *Create*; the signing secret is shown once.",
  paddle: "*Developer Tools*, *Notifications*, *New destination*, of type webhook; its *Secret key* is the secret.",
  pagerduty: "*Integrations*, *Generic Webhooks (v3)*, *New Webhook*; the secret is shown once.",
  postmark:
    "Give the webhook's address as `https://<user name>:<password>@<your worker>/webhooks/postmark`. The secret is `<user name>:<password>`.",
  replicate:
    "Name the address as `webhook` of a prediction; the key that `GET /v1/webhooks/default/secret` answers is the secret.",
  resend: "*Webhooks*, *Add Webhook*; its *Signing Secret* is the secret.",
  sendgrid:
    "*Settings*, *Mail Settings*, *Event Webhooks*; switch *Signed Event Webhook* on. The *Verification Key* is the secret.",
  sentry: "*Settings*, *Custom Integrations*; the integration's *Client Secret* is the secret.",
  shopify:
    "*Settings*, *Notifications*, *Webhooks*: the key at the bottom of the page is the secret; for an app's webhooks it is the app's client secret.",
  slack:
    "Your app's *Basic Information* has the *Signing Secret*; then give the address as *Request URL* under *Event Subscriptions*, *Interactivity* or a slash command.",
  square:
    "*Developer Console*, your app, *Webhooks*, *Subscriptions*; its *Signature key* is the secret. Square signs the address too: behind a proxy name it as `url`.",
  "standard-webhooks": "For any sender that signs so; the secret begins with `whsec_`.",
  stripe:
    "*Developers*, *Webhooks*, *Add destination*; its *Signing secret* is the secret. Each endpoint has its own: name them all.",
  svix: "The endpoint's *Signing Secret* is the secret; it begins with `whsec_`.",
  trello:
    "Create the webhook by the API (`POST /1/tokens/<token>/webhooks`): Trello asks the address at once. The app's *Secret* is the secret. Trello signs the address too: behind a proxy name it as `url`.",
  twilio:
    "Give the address where the number or the service asks for a webhook; the account's *Auth Token* is the secret. Twilio signs the address too: behind a proxy name it as `url`.",
  typeform: "*Connect*, *Webhooks*; edit the webhook and give it a secret.",
  vercel:
    "*Settings*, *Webhooks*, *Create Webhook*; the secret is shown once. For an integration's webhooks it is the *Client Secret*.",
  webflow:
    "Create the webhook by the API. With an OAuth app the secret is the app's client secret; with a site token it is the webhook's `secretKey`. Webhooks made in the dashboard are not signed.",
  woocommerce:
    "*WooCommerce*, *Settings*, *Advanced*, *Webhooks*, *Add webhook*; its *Secret* is the secret. Deploy the source first: saving sends a ping.",
  x: "The app's *API Key Secret* (consumer secret) is the secret; deploy the source before you register the address. While you rotate it, name the new one first: X's question is answered with the first one that is set.",
  xero: "Your app's *Webhooks*: set the *Webhooks key* as the secret, deploy, then start *Intent to receive*.",
  zoom: "Your app's *Feature*, *Event Subscriptions*: the *Secret Token* is the secret; deploy before you press *Validate*.",
};
