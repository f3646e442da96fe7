#include "integration_priv.h"

/*
 * What Alertmanager's default templates yield, in our own words (Alertmanager 0.34). Names are what configurations call.
 *
 * A newline that is to be there is written out as \n; a line of the source ends where the text needs no newline.
 */

/* ---- what several of them share ---- */

#define SHARED                                                                                      \
    "{{ define \"__alertmanager\" }}Alertmanager{{ end }}"                                          \
    "{{ define \"__alertmanagerURL\" }}"                                                            \
    "{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}{{ end }}"                      \
    "{{ define \"__description\" }}{{ end }}"                                                       \
    "{{ define \"__subject\" }}"                                                                    \
    "[{{ if eq .Status \"firing\" }}FIRING:{{ len .Alerts.Firing }}"                                \
    "{{ else }}{{ toUpper .Status }}{{ end }}] "                                                    \
    "{{ join \" \" .GroupLabels.SortedPairs.Values }} "                                             \
    "{{ if gt (len .CommonLabels) (len .GroupLabels) }}"                                            \
    "({{ join \" \" (.CommonLabels.Remove .GroupLabels.Names).Values }}){{ end }}{{ end }}"         \
    "{{ define \"__text_alert_list\" }}{{ range . }}"                                               \
    "Labels:\n{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}\n{{ end }}"              \
    "Annotations:\n{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}\n{{ end }}"    \
    "Source: {{ .GeneratorURL }}\n{{ end }}{{ end }}"                                               \
    "{{ define \"__text_alert_list_markdown\" }}{{ range . }}"                                      \
    "\nLabels:\n{{ range .Labels.SortedPairs }}  - {{ .Name }} = {{ .Value }}\n{{ end }}"           \
    "\nAnnotations:\n{{ range .Annotations.SortedPairs }}  - {{ .Name }} = {{ .Value }}\n{{ end }}" \
    "\nSource: {{ .GeneratorURL }}\n{{ end }}\n{{ end }}"

/* Three forms of "what fires, what has ended". TIGHT and LOOSE begin with what all annotations have in common, or with nothing. */
#define ANNOTATIONS "{{ join \" \" .CommonAnnotations.SortedPairs.Values }}"
#define TIGHT                                                                                    \
    ANNOTATIONS                                                                                  \
    "\n{{ with .Alerts.Firing }}Alerts Firing:\n{{ template \"__text_alert_list\" . }}{{ end }}" \
    "\n{{ with .Alerts.Resolved }}Alerts Resolved:\n{{ template \"__text_alert_list\" . }}{{ end }}"
#define LOOSE_AS(mark, list)                                                                        \
    "\n{{ with .Alerts.Firing }}\n" mark "Alerts Firing:\n{{ template \"" list "\" . }}\n{{ end }}" \
    "\n{{ with .Alerts.Resolved }}\n" mark "Alerts Resolved:\n{{ template \"" list "\" . }}\n{{ end }}\n"
#define LOOSE LOOSE_AS("", "__text_alert_list")
#define MARKDOWN LOOSE_AS("# ", "__text_alert_list_markdown")

#define DEFINE(name, text) "{{ define \"" name "\" }}" text "{{ end }}"
#define SUBJECT(name) DEFINE(name, "{{ template \"__subject\" . }}")
#define URL(name) DEFINE(name, "{{ template \"__alertmanagerURL\" . }}")
#define PROGRAM(name) DEFINE(name, "{{ template \"__alertmanager\" . }}")
#define NOTHING(name) DEFINE(name, "")

#define CHAT                                                                                                 \
    SUBJECT("slack.default.title")                                                                           \
    PROGRAM("slack.default.username")                                                                        \
    DEFINE("slack.default.fallback",                                                                         \
           "{{ template \"slack.default.title\" . }} | {{ template \"slack.default.titlelink\" . }}")        \
    NOTHING("slack.default.callbackid")                                                                      \
    NOTHING("slack.default.pretext")                                                                         \
    URL("slack.default.titlelink")                                                                           \
    NOTHING("slack.default.iconemoji")                                                                       \
    NOTHING("slack.default.iconurl")                                                                         \
    NOTHING("slack.default.text")                                                                            \
    NOTHING("slack.default.footer")                                                                          \
    DEFINE("slack.default.color", "{{ if eq .Status \"firing\" }}danger{{ else }}good{{ end }}")             \
    NOTHING("discord.default.content")                                                                       \
    SUBJECT("discord.default.title")                                                                         \
    DEFINE("discord.default.message", LOOSE)                                                                 \
    DEFINE("telegram.default.message", LOOSE)                                                                \
    DEFINE("webex.default.message", ANNOTATIONS LOOSE)                                                       \
    SUBJECT("msteams.default.summary")                                                                       \
    SUBJECT("msteams.default.title")                                                                         \
    DEFINE("msteams.default.text", MARKDOWN)                                                                 \
    SUBJECT("msteamsv2.default.title")                                                                       \
    DEFINE("msteamsv2.default.text", MARKDOWN)                                                               \
    DEFINE("wechat.default.message", "{{ template \"__subject\" . }}\n" TIGHT                                \
                                     "\nAlertmanagerUrl:\n{{ template \"__alertmanagerURL\" . }}")           \
    NOTHING("wechat.default.to_user")                                                                        \
    NOTHING("wechat.default.to_party")                                                                       \
    NOTHING("wechat.default.to_tag")                                                                         \
    NOTHING("wechat.default.agent_id")                                                                       \
    SUBJECT("rocketchat.default.title")                                                                      \
    PROGRAM("rocketchat.default.alias")                                                                      \
    URL("rocketchat.default.titlelink")                                                                      \
    NOTHING("rocketchat.default.emoji")                                                                      \
    NOTHING("rocketchat.default.iconurl")                                                                    \
    NOTHING("rocketchat.default.text")                                                                       \
    PROGRAM("mattermost.default.username")                                                                   \
    SUBJECT("mattermost.default.title")                                                                      \
    URL("mattermost.default.titlelink")                                                                      \
    DEFINE(                                                                                                  \
        "mattermost.default.fallback",                                                                       \
        "{{ template \"mattermost.default.title\" . }} | {{ template \"mattermost.default.titlelink\" . }}") \
    DEFINE("mattermost.default.color", "{{ if eq .Status \"firing\" }}danger{{ else }}good{{ end }}")        \
    DEFINE("mattermost.default.text", MARKDOWN)

#define PAGERS                                                                               \
    SUBJECT("pagerduty.default.description")                                                 \
    PROGRAM("pagerduty.default.client")                                                      \
    URL("pagerduty.default.clientURL")                                                       \
    DEFINE("pagerduty.default.instances", "{{ template \"__text_alert_list\" . }}")          \
    SUBJECT("opsgenie.default.message")                                                      \
    DEFINE("opsgenie.default.description", TIGHT)                                            \
    URL("opsgenie.default.source")                                                           \
    DEFINE("victorops.default.state_message", TIGHT)                                         \
    SUBJECT("victorops.default.entity_display_name")                                         \
    PROGRAM("victorops.default.monitoring_tool")                                             \
    SUBJECT("pushover.default.title")                                                        \
    DEFINE("pushover.default.message", ANNOTATIONS LOOSE)                                    \
    URL("pushover.default.url")                                                              \
    SUBJECT("sns.default.subject")                                                           \
    DEFINE("sns.default.message", ANNOTATIONS LOOSE)                                         \
    SUBJECT("jira.default.summary")                                                          \
    DEFINE("jira.default.description", MARKDOWN)                                             \
    DEFINE("jira.default.priority",                                                          \
           "{{ $p := \"\" }}{{ range list .Alerts.Firing .Alerts.Resolved }}{{ if not $p }}" \
           "{{ range . }}{{ with .Labels.severity }}"                                        \
           "{{ if eq . \"critical\" }}{{ $p = \"High\" }}"                                   \
           "{{ else if and (eq . \"warning\") (ne $p \"High\") }}{{ $p = \"Medium\" }}"      \
           "{{ else if and (eq . \"info\") (not $p) }}{{ $p = \"Low\" }}{{ end }}"           \
           "{{ end }}{{ end }}{{ end }}{{ end }}{{ $p }}")                                   \
    SUBJECT("email.default.subject")

/* Alertmanager's page says the same in the same order, and looks otherwise. Styles stand at each tag, as mail programs drop others. */
#define CELL "style=\"padding:10px 16px;border-bottom:1px solid #ddd\""
#define PAIRS(list) "{{ range " list ".SortedPairs }}{{ .Name }} = {{ .Value }}<br>\n{{ end }}"
#define BANNER(color)                                                                                      \
    "<td bgcolor=\"" color "\" style=\"padding:16px;background-color:" color ";color:#fff;font-size:18px;" \
    "font-weight:bold\">\n"
#define SECTION(list, name)                                                                             \
    "{{ if " list " }}<tr><td style=\"padding:16px 16px 4px;font-size:16px\"><strong>[{{ len " list     \
    " }}] " name "</strong></td></tr>\n{{ range " list " }}{{ template \"__email_alert\" . }}{{ end }}" \
    "{{ end }}"

#define EMAIL                                                                                                \
    "{{ define \"__email_alert\" }}<tr><td " CELL ">\n<strong>Labels</strong><br>\n" PAIRS(                  \
        ".Labels") "{{ if gt (len .Annotations) 0 "                                                          \
                   "}}<strong>Annotations</strong><br>\n" PAIRS(                                             \
                       ".Annotations") "{{ end }}<a href=\"{{ "                                              \
                                       ".GeneratorURL "                                                      \
                                       "}}\">Source</a>\n</td></"                                            \
                                       "tr>\n{{ end }}"                                                      \
                                       "{{ define "                                                          \
                                       "\"email.default.html\" "                                             \
                                       "}}<!DOCTYPE html>\n<html "                                           \
                                       "lang=\"en\">\n<head>\n"                                              \
                                       "<meta "                                                              \
                                       "http-equiv=\"Content-Type\" "                                        \
                                       "content=\"text/html; "                                               \
                                       "charset=UTF-8\">\n"                                                  \
                                       "<title>{{ template "                                                 \
                                       "\"__subject\" . "                                                    \
                                       "}}</title>\n</head>\n"                                               \
                                       "<body "                                                              \
                                       "style=\"margin:0;padding:16px;"                                      \
                                       "background-color:#f4f4f4;font-"                                      \
                                       "family:sans-serif;font-size:"                                        \
                                       "14px;"                                                               \
                                       "color:#222\">\n<table "                                              \
                                       "width=\"100%\" "                                                     \
                                       "cellpadding=\"0\" "                                                  \
                                       "cellspacing=\"0\" "                                                  \
                                       "style=\"max-width:640px;"                                            \
                                       "margin:0 "                                                           \
                                       "auto;background-color:#fff;"                                         \
                                       "border:1px solid #ddd\">\n<tr>"                                      \
                                       "{{ if gt (len .Alerts.Firing) "                                      \
                                       "0 }}" BANNER(                                                        \
                                           "#c62828") "{{ else "                                             \
                                                      "}}" BANNER(                                           \
                                                          "#2e"                                              \
                                                          "7d3"                                              \
                                                          "2") "{{ end }}"                                   \
                                                               "{{ len .Alerts }} alert{{ if ne (len "       \
                                                               ".Alerts) 1 }}s{{ end }} for"                 \
                                                               "{{ range .GroupLabels.SortedPairs }}\n{{ "   \
                                                               ".Name }}={{ .Value }}{{ end "                \
                                                               "}}\n</td></tr>\n"                            \
                                                               "<tr><td " CELL                               \
                                                               "><a href=\"{{ template "                     \
                                                               "\"__alertmanagerURL\" . }}\">View in "       \
                                                               "{{ template \"__alertmanager\" . "           \
                                                               "}}</a></td></tr>\n" SECTION(                 \
                                                                   ".Alerts.Firing", "Firing")               \
                                                                   SECTION(                                  \
                                                                       ".Alerts.Resolved",                   \
                                                                       "Resolved") "<tr><td "                \
                                                                                   "style=\"padding:10px "   \
                                                                                   "16px;font-size:12px\"><" \
                                                                                   "a href=\"{{ "            \
                                                                                   ".ExternalURL }}\">Sent " \
                                                                                   "by "                     \
                                                                                   "{{ template "            \
                                                                                   "\"__alertmanager\" . "   \
                                                                                   "}}</a></td></tr>\n</"    \
                                                                                   "table>\n</body>\n</"     \
                                                                                   "html>\n{{ end }}"

const char default_templates[] = SHARED CHAT PAGERS EMAIL;
