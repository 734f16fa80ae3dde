"""A stand-in of GitLab's API for issues, in the shapes that GitLab documents.

It runs quick actions on submit and takes them out of the text, writes its own remarks about ticked
boxes with the item's Markdown escaped, and answers as GitLab does to a wrong token or address.
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote, unquote

from forge_standin import ForgeStandIn, page

BOX = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[(?P<mark>[ xX~])\]\s+(?P<item>.*?)\s*$")
LABEL = re.compile(r'~"([^"]+)"|~([\w:.-]+)')
ACTION = re.compile(r"^/(label|assign|milestone|due|relate|unlabel|close|reopen)\b(.*)$")
ESCAPED = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&=\"'/])")
PROJECT = "/api/v4/projects/"


class GitLabStandIn(ForgeStandIn):
    """`users` are by token; `issues` by project and number, with their notes."""

    def __init__(self, *projects):
        super().__init__()
        self.projects = list(projects)
        self.users = {"bot-token": self._user(1, "flagstaff-bot")}
        self.people = {}
        self.issues = {}
        self._ids = 100

    def add_user(self, name):
        self.people[name] = self._user(10 + len(self.people), name)
        return self.people[name]

    def issue(self, project, number):
        return self.issues[project, number]

    def notes(self, project, number, *, system=False):
        found = self.issues[project, number]["_notes"]
        return [each["body"] for each in found if each["system"] is system]

    def open_issue(self, project, title, text, by="dana"):
        """Make an issue as a person does on the page."""
        with self.changed:
            author = self.people.get(by) or self.add_user(by)
            return self._create(project, {"title": title, "description": text}, author)

    def edit(self, project, number, change, by):
        """Change an issue's description as a person does on the page."""
        with self.changed:
            issue = self.issues[project, number]
            user = self.people.get(by) or self.add_user(by)
            self._describe(issue, change(issue["description"]), user)
            self.changed.notify_all()

    def tick(self, project, number, item, by, mark="x", more=""):
        """Mark the box of the item with these words."""

        def change(text):
            lines = text.split("\n")
            (at,) = [i for i, line in enumerate(lines) if item in line and "[ ]" in line]
            lines[at] = lines[at].replace("[ ]", f"[{mark}]", 1) + more
            return "\n".join(lines)

        self.edit(project, number, change, by)

    def answer(self, method, path, query, headers, body):
        me = self.users.get(headers.get("PRIVATE-TOKEN", ""))
        if me is None:
            return 401, {}, {"message": "401 Unauthorized"}
        if (method, path) == ("GET", "/api/v4/user"):
            return 200, {}, me
        if not path.startswith(PROJECT):
            return 404, {}, {"error": "404 Not Found"}
        name, _, rest = path.removeprefix(PROJECT).partition("/")
        project = unquote(name)
        if project not in self.projects:
            return 404, {}, {"message": "404 Project Not Found"}
        return self._in_project(method, project, rest.split("/"), query, body, me)

    def _in_project(self, method, project, rest, query, body, me):
        if rest == ["issues"]:
            if method == "POST":
                if not body.get("title"):
                    return 400, {}, {"message": {"title": ["can't be blank"]}}
                return 201, {}, _shown(self._create(project, body, me))
            found = [_shown(issue) for (at, _), issue in self.issues.items() if at == project]
            for name, field in (("created_after", "created_at"), ("updated_after", "updated_at")):
                if name in query:
                    since = datetime.fromisoformat(query[name])
                    found = [e for e in found if datetime.fromisoformat(e[field]) > since]
            listed, link = page(
                found[::-1], query, f"{self.url}{PROJECT}{quote(project, safe='')}/issues"
            )
            return 200, link, listed
        issue = self.issues.get((project, int(rest[1])))
        if issue is None:
            return 404, {}, {"message": "404 Issue Not Found"}
        if len(rest) == 2:
            if method == "PUT":
                self._update(issue, body, me)
            return 200, {}, _shown(issue)
        return self._notes(method, issue, rest[3:], query, body, me)

    def _notes(self, method, issue, rest, query, body, me):
        notes = issue["_notes"]
        if method == "POST":
            note = self._note(issue, body["body"], me)
            return 201, {}, note
        if method == "PUT":
            for note in notes:
                if str(note["id"]) == rest[0]:
                    note.update(body=body["body"], updated_at=self._stamp())
                    note["edits"] = note.get("edits", 0) + 1
                    return 200, {}, note
            return 404, {}, {"message": "404 Note Not Found"}
        listed, link = page(notes[::-1] if query.get("sort") == "desc" else notes, query, "")
        return 200, link, listed

    def _create(self, project, body, me):
        number = 1 + max((n for at, n in self.issues if at == project), default=0)
        moment = self._stamp()
        issue = {
            "id": self._id(),
            "iid": number,
            "project_id": 1 + self.projects.index(project),
            "title": body["title"],
            "description": "",
            "state": "opened",
            "created_at": moment,
            "updated_at": moment,
            "closed_at": None,
            "closed_by": None,
            "labels": [],
            "milestone": None,
            "assignees": [],
            "assignee": None,
            "author": me,
            "type": "ISSUE",
            "issue_type": "issue",
            "user_notes_count": 0,
            "confidential": False,
            "web_url": f"{self.url}/{project}/-/issues/{number}",
            "references": {"short": f"#{number}", "full": f"{project}#{number}"},
            "_notes": [],
            "_project": project,
        }
        issue["description"] = self._acted(issue, body.get("description") or "")
        self.issues[project, number] = issue
        return issue

    def _update(self, issue, body, me):
        if "description" in body:
            self._describe(issue, body["description"], me)
        for label in filter(None, body.get("add_labels", "").split(",")):
            if label not in issue["labels"]:
                issue["labels"].append(label)
        gone = body.get("remove_labels", "").split(",")
        issue["labels"] = [each for each in issue["labels"] if each not in gone]
        if event := body.get("state_event"):
            issue["state"] = "closed" if event == "close" else "opened"
            issue["closed_at"] = self._stamp() if event == "close" else None
            self._note(issue, "closed" if event == "close" else "reopened", me, system=True)
        issue["updated_at"] = self._stamp()

    def _describe(self, issue, text, by):
        """Change the description, with GitLab's own remark about it and a webhook."""
        before, after = issue["description"], self._acted(issue, text)
        if before == after:
            return
        issue["description"], issue["updated_at"] = after, self._stamp()
        was, now = _boxes(before), _boxes(after)
        ticked = [item for item, done in now.items() if item in was and was[item] is not done]
        for item in ticked:
            how = "completed" if now[item] else "incomplete"
            said = ESCAPED.sub(r"\\\1", re.sub(r"<!--|-->", "", item))
            self._note(issue, f"marked the checklist item **{said}** as {how}", by, system=True)
        if not ticked:
            self._note(issue, "changed the description", by, system=True)
        self.send(
            {
                "object_kind": "issue",
                "event_type": "issue",
                "user": {k: by[k] for k in ("id", "name", "username", "avatar_url")},
                "project": {
                    "path_with_namespace": issue["_project"],
                    "web_url": f"{self.url}/{issue['_project']}",
                },
                "object_attributes": {
                    "id": issue["id"],
                    "iid": issue["iid"],
                    "title": issue["title"],
                    "description": after,
                    "state": issue["state"],
                    "action": "update",
                    "updated_at": issue["updated_at"].replace("T", " ").replace("Z", " UTC"),
                    "url": issue["web_url"],
                },
                "changes": {"description": {"previous": before, "current": after}},
            },
            "Issue Hook",
        )

    def _acted(self, issue, text):
        """Run the quick actions of a text, outside of code, and return it without them."""
        kept, fenced = [], False
        for line in text.split("\n"):
            fenced ^= line.lstrip().startswith("```")
            found = None if fenced else ACTION.match(line)
            if found is None:
                kept.append(line)
                continue
            match found[1]:
                case "label":
                    names = [a or b for a, b in LABEL.findall(found[2])]
                    issue["labels"] += [each for each in names if each not in issue["labels"]]
                case "assign":
                    name = found[2].strip().lstrip("@")
                    if name in self.people:
                        issue["assignees"] = [self.people[name]]
                        issue["assignee"] = self.people[name]
                case "milestone":
                    issue["milestone"] = {"title": found[2].strip().strip('%"')}
        return "\n".join(kept).strip("\n") if len(kept) < len(text.split("\n")) else text

    def _note(self, issue, body, by, *, system=False):
        note = {
            "id": self._id(),
            "type": None,
            "body": body if system else self._acted(issue, body),
            "author": by,
            "created_at": self._stamp(),
            "updated_at": self._stamp(),
            "system": system,
            "noteable_id": issue["id"],
            "noteable_type": "Issue",
            "noteable_iid": issue["iid"],
            "resolvable": False,
            "internal": False,
        }
        issue["_notes"].append(note)
        issue["updated_at"] = self._stamp()
        return note

    def _user(self, number, name):
        return {
            "id": number,
            "username": name,
            "name": name.title(),
            "state": "active",
            "avatar_url": None,
            "web_url": f"{self.url}/{name}",
        }

    def _id(self):
        self._ids += 1
        return self._ids

    def _stamp(self):
        return self.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _shown(issue):
    boxes = _boxes(issue["description"])
    return {
        **{name: value for name, value in issue.items() if not name.startswith("_")},
        "has_tasks": bool(boxes),
        "task_completion_status": {"count": len(boxes), "completed_count": sum(boxes.values())},
    }


def _boxes(text):
    """Return the items with boxes that count, and whether they are ticked."""
    found = {}
    for line in text.split("\n"):
        if (box := BOX.match(line)) and box["mark"] != "~":
            found[box["item"]] = box["mark"] in "xX"
    return found
