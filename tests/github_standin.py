"""A stand-in of GitHub's API for issues, in the shapes that GitHub documents: REST and GraphQL."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import unquote

from forge_standin import ForgeStandIn, page

REPOS = "/api/v3/repos/"


class GitHubStandIn(ForgeStandIn):
    """`users` are by token; `issues` by repository and number."""

    def __init__(self, *repositories):
        super().__init__()
        self.repositories = list(repositories)
        self.users = {"bot-token": "flagstaff-bot"}
        self.milestones = [{"number": 3, "title": "15.2", "state": "open"}]
        self.issues = {}
        self._ids = 9000

    def issue(self, project, number):
        return self.issues[project, number]

    def notes(self, project, number):
        return [each["body"] for each in self.issues[project, number]["_comments"]]

    def open_issue(self, project, title, text, by="dana"):
        with self.changed:
            return self._create(project, {"title": title, "body": text}, by)

    def edit(self, project, number, change, by):
        with self.changed:
            issue = self.issues[project, number]
            self._describe(issue, change(issue["body"]), by)
            self.changed.notify_all()

    def tick(self, project, number, item, by, mark="x", more=""):
        def change(text):
            lines = text.split("\n")
            (at,) = [i for i, line in enumerate(lines) if item in line and "[ ]" in line]
            lines[at] = lines[at].replace("[ ]", f"[{mark}]", 1) + more
            return "\n".join(lines)

        self.edit(project, number, change, by)

    def answer(self, method, path, query, headers, body):
        me = self.users.get(headers.get("authorization", "").removeprefix("Bearer "))
        if me is None:
            return 401, {}, {"message": "Bad credentials", "status": "401"}
        if path == "/api/graphql":
            return self._graph(body["variables"], me)
        parts = path.removeprefix(REPOS).split("/")
        project, rest = "/".join(parts[:2]), parts[2:]
        if not path.startswith(REPOS) or project not in self.repositories:
            return 404, {}, {"message": "Not Found", "status": "404"}
        if rest == ["milestones"]:
            return 200, {}, self.milestones
        if rest == ["issues"]:
            return self._list_or_create(method, project, query, body, me)
        if rest[:2] == ["issues", "comments"]:
            return self._edit_comment(project, rest[2], body)
        issue = self.issues.get((project, int(rest[1])))
        if issue is None:
            return 404, {}, {"message": "Not Found", "status": "404"}
        return self._one(method, issue, rest[2:], query, body, me)

    def _one(self, method, issue, rest, query, body, me):
        match method, rest:
            case "PATCH", []:
                if "body" in body:
                    self._describe(issue, body["body"], me)
                if "state" in body:
                    issue["state"] = body["state"]
                    issue["state_reason"] = body.get("state_reason")
                    issue["closed_at"] = self._stamp() if body["state"] == "closed" else None
                issue["updated_at"] = self._stamp()
                return 200, {}, _shown(issue)
            case "GET", []:
                return 200, {}, _shown(issue)
            case "GET", ["comments"]:
                listed, link = page(issue["_comments"], query, self.url)
                return 200, link, listed
            case "POST", ["comments"]:
                return 201, {}, self._comment(issue, body["body"], me)
            case "POST", ["labels"]:
                known = {each["name"] for each in issue["labels"]}
                issue["labels"] += [_label(e) for e in body["labels"] if e not in known]
                issue["updated_at"] = self._stamp()
                return 200, {}, issue["labels"]
            case "POST", ["assignees"]:
                issue["assignees"] += [{"login": each} for each in body["assignees"]]
                return 201, {}, _shown(issue)
            case "DELETE", ["labels", name]:
                wanted = unquote(name)
                if wanted not in {each["name"] for each in issue["labels"]}:
                    return 404, {}, {"message": "Label does not exist", "status": "404"}
                issue["labels"] = [e for e in issue["labels"] if e["name"] != wanted]
                issue["updated_at"] = self._stamp()
                return 200, {}, issue["labels"]
        return 404, {}, {"message": "Not Found", "status": "404"}

    def _list_or_create(self, method, project, query, body, me):
        if method == "POST":
            if not body.get("title"):
                return 422, {}, {"message": "Validation Failed", "status": "422"}
            return 201, {}, _shown(self._create(project, body, me))
        found = [_shown(issue) for (at, _), issue in self.issues.items() if at == project]
        if query.get("state", "open") != "all":
            found = [each for each in found if each["state"] == "open"]
        if "since" in query:
            since = datetime.fromisoformat(query["since"])
            found = [e for e in found if datetime.fromisoformat(e["updated_at"]) >= since]
        listed, link = page(found[::-1], query, f"{self.url}{REPOS}{project}/issues")
        return 200, link, listed

    def _edit_comment(self, project, comment, body):
        for (at, _), issue in self.issues.items():
            for each in issue["_comments"]:
                if at == project and str(each["id"]) == comment:
                    each.update(body=body["body"], updated_at=self._stamp())
                    each["edits"] = each.get("edits", 0) + 1
                    return 200, {}, each
        return 404, {}, {"message": "Not Found", "status": "404"}

    def _graph(self, variables, me):
        project = f"{variables['owner']}/{variables['name']}"
        issue = self.issues.get((project, variables["number"]))
        if issue is None:
            return 200, {}, {"data": None, "errors": [{"type": "NOT_FOUND", "message": "no"}]}
        edits = [{"editor": {"login": each}} for each in reversed(issue["_edits"])]
        repository = {"issue": {"userContentEdits": {"nodes": edits[:50]}}}
        return 200, {}, {"data": {"viewer": {"login": me}, "repository": repository}}

    def _create(self, project, body, me):
        number = 1 + max((n for at, n in self.issues if at == project), default=0)
        moment = self._stamp()
        milestone = next((m for m in self.milestones if m["number"] == body.get("milestone")), None)
        issue = {
            "id": self._id(),
            "number": number,
            "title": body["title"],
            "body": body.get("body"),
            "state": "open",
            "state_reason": None,
            "user": {"login": me, "type": "User"},
            "labels": [_label(each) for each in body.get("labels", [])],
            "assignees": [],
            "milestone": milestone,
            "created_at": moment,
            "updated_at": moment,
            "closed_at": None,
            "html_url": f"{self.url}/{project}/issues/{number}",
            "_comments": [],
            "_edits": [me],
            "_project": project,
        }
        self.issues[project, number] = issue
        return issue

    def _describe(self, issue, text, by):
        before = issue["body"]
        if before == text:
            return
        issue["body"], issue["updated_at"] = text, self._stamp()
        issue["_edits"].append(by)
        self.send(
            {
                "action": "edited",
                "changes": {"body": {"from": before}},
                "issue": _shown(issue),
                "repository": {"full_name": issue["_project"]},
                "sender": {"login": by, "type": "User"},
            },
            "issues",
        )

    def _comment(self, issue, text, by):
        comment = {
            "id": self._id(),
            "body": text,
            "user": {"login": by},
            "created_at": self._stamp(),
            "updated_at": self._stamp(),
        }
        issue["_comments"].append(comment)
        issue["updated_at"] = self._stamp()
        return comment

    def _id(self):
        self._ids += 1
        return self._ids

    def _stamp(self):
        """Return a new second each time: GitHub's times have no parts of one."""
        self._moment += timedelta(seconds=1)
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _label(name):
    return {"id": abs(hash(name)) % 10**6, "name": name, "color": "ededed", "default": False}


def _shown(issue):
    return {name: value for name, value in issue.items() if not name.startswith("_")}
