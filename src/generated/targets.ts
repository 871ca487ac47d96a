// Written by scripts/generate.ts; npm run generate writes it again.
import bus from "../targets/bus.ts";
import dingtalk from "../targets/dingtalk.ts";
import discord from "../targets/discord.ts";
import feishu from "../targets/feishu.ts";
import githubDispatch from "../targets/github-dispatch.ts";
import http from "../targets/http.ts";
import queue from "../targets/queue.ts";
import service from "../targets/service.ts";
import slack from "../targets/slack.ts";
import teams from "../targets/teams.ts";
import telegram from "../targets/telegram.ts";

export const targets = { bus, dingtalk, discord, feishu, "github-dispatch": githubDispatch, http, queue, service, slack, teams, telegram } as const;
