/** The kinds of targets that speak to one vendor: their shortest entries, and secrets of the right form, made up. */
import type { JsonObject } from "../../src/core/result.ts";

export interface Vendor {
  readonly entry: JsonObject;
  readonly secrets: Readonly<Record<string, string>>;
}

export const VENDORS: Readonly<Record<string, Vendor>> = {
  slack: {
    entry: { slack: "SLACK_WEBHOOK_URL" },
    secrets: { SLACK_WEBHOOK_URL: "https://hooks.slack.com/services/T00000000/B00000000/slack-path-token-0001" },
  },
  discord: {
    entry: { discord: "DISCORD_WEBHOOK_URL" },
    secrets: { DISCORD_WEBHOOK_URL: "https://discord.com/api/webhooks/1100000000000000000/discord-path-token-0002" },
  },
  teams: {
    entry: { teams: "TEAMS_WEBHOOK_URL" },
    secrets: {
      TEAMS_WEBHOOK_URL:
        "https://prod-00.westeurope.logic.azure.com:443/workflows/0123456789abcdef/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=teams-query-token-0003",
    },
  },
  dingtalk: {
    entry: { dingtalk: "DINGTALK_WEBHOOK_URL" },
    secrets: { DINGTALK_WEBHOOK_URL: "https://oapi.dingtalk.com/robot/send?access_token=dingtalk-query-token-0004" },
  },
  feishu: {
    entry: { feishu: "FEISHU_WEBHOOK_URL" },
    secrets: { FEISHU_WEBHOOK_URL: "https://open.feishu.cn/open-apis/bot/v2/hook/feishu-path-token-0005" },
  },
  telegram: {
    entry: { telegram: "TELEGRAM_BOT_TOKEN", chat: "-1001234567890" },
    secrets: { TELEGRAM_BOT_TOKEN: "123456:telegram-token-0006-ABCDEFG" },
  },
  "github-dispatch": {
    entry: { "github-dispatch": "octocat/hello", token: "DEPLOY_TOKEN" },
    secrets: { DEPLOY_TOKEN: "github-token-0007" },
  },
};

/** What all vendors would be content with. */
export const VENDOR_SUCCESS = '{"ok":true,"errcode":0,"code":0}';

export const VENDOR_SECRETS: Readonly<Record<string, string>> = Object.assign(
  {},
  ...Object.values(VENDORS).map(({ secrets }) => secrets),
) as Record<string, string>;
