/** Vercel's webhooks. References: https://vercel.com/docs/webhooks/webhooks-api (payload and signature) */
import { webhookSource } from "./_webhook-source.ts";

export default webhookSource({
  kind: "vercel",
  vendor: "Vercel",
  signature: {
    algorithm: "hmac-sha1",
    encoding: "hex",
    signature: { header: "x-vercel-signature" },
    content: "{body}",
  },
  type: "com.vercel",
  source: "https://api.vercel.com",
  map({ text }) {
    const [team, user, created] = [text("payload.team.id"), text("payload.user.id"), text("createdAt")];
    return {
      type: text("type"),
      // Signed, as the whole payload: a copy is a duplicate.
      id: text("id"),
      source: team ? `https://api.vercel.com/v2/teams/${team}` : user && `https://api.vercel.com/v2/users/${user}`,
      subject: text("payload.deployment.id") ?? text("payload.project.id") ?? text("payload.projectId"),
      // The page has had both, a number and a date.
      time: created?.includes("T") ? { text: created } : { ms: created },
    };
  },
});
