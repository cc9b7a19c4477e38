"""Runs that never were, as report_data() would tell them: python3 runs.py FOLDER writes a JSON file of each."""
import json
import sys
from datetime import datetime, timedelta

BEGAN = datetime(2026, 11, 21, 22, 14, 43, 123000)


def at(seconds):
    return (BEGAN + timedelta(seconds=seconds)).isoformat(timespec="milliseconds") + "Z"


def edge(child, columns, parent, policy, rows):
    return {"constraint": "c", "child": child, "columns": columns, "parent": parent, "parent_columns": ["id"],
            "on_delete": "CASCADE", "policy": policy, "rows": rows}


def run(name, edges, span, error=None, statements=()):
    width = span / 200
    busy = [i for i in range(200) if i % 40 > 3]
    return {
        "run": 7, "plan": name, "environment": name, "table": name, "database": name, "state": "failed" if error else "finished",
        "role": name, "program": "0.1.0", "server": "15.13", "schema": "pgwinnow", "search_path": name, "lane": "default",
        "started": at(0), "finished": at(span), "seconds": span, "settings": {"batch.size": "500"},
        "error": {"message": error, "detail": error, "hint": error, "sqlstate": "23503"} if error else None,
        "definition": {"table": name, "steps": [{"step": "track", "options": {"where": name + "\n" + name}}, {"step": "delete", "options": {}}]},
        "totals": {"removed": 812345678, "children": 2212345678, "spared": 120034, "archived": 3024691356, "held": 3},
        "archive": {"until": at(span + 30 * 86400)},
        "steps": [{"name": n, "kind": n, "state": "done", "rows": 812345678, "total": 2100000000, "spared": 120034, "batches": 802311,
                   "seconds": span / 3, "started": at(span * i / 3), "finished": at(span * (i + 1) / 3), "round": 1, "note": name}
                  for i, n in enumerate(("track", "delete", "vacuum"))],
        "tree": {"root": name, "edges": edges},
        "timeline": [{"at": at(0), "seconds": 0, "what": "event", "type": "run.started"}]
        + [{"at": at(span * i / 60), "seconds": span * i / 60, "what": "act", "type": "set", "role": name, "message": name} for i in range(1, 60)]
        + [{"at": at(span), "seconds": span, "what": "event", "type": "run.finished"}],
        "series": {
            "throughput": [{"at": at(i * width), "seconds": i * width, "width": width, "rows": 1000 + i, "children": 50 * (i % 7),
                            "batches": 3, "step": name} for i in busy],
            "samples": [{"at": at(i * width), "seconds": i * width, "rate": i, "batch_size": 1000 + 10 * i, "lag_seconds": i % 9 / 7}
                        for i in busy]},
        "waits": [{"at": at(i * width), "seconds": i * width, "ms": 1000 * width, "reason": name} for i in range(0, 200, 40)],
        "slowest": [{"at": at(5), "step": name, "first": 1, "last": 4000, "rows": 4000, "children": 12, "ms": 900}],
        "spared": [{"reason": name, "rows": 3, "examples": [name, "4711"]}],
        "kept": {"survivors": 4, "held": 3, "contested": 1},
        "statements": [{"step": name, "name": name, "place": name, "text": s} for s in statements],
        "endpoints": [{"endpoint": name, "delivered": 3, "waiting": 1, "dropped": 0, "gone": None, "answer": name}]}


EVIL = "</style></title><script>alert(1)</script><img src=http://example.com/x onerror=alert(2)>\"'&amp;\u202eabc"
LONG = "x" * 63
KEYS = [["id"], [LONG], ["tenant_id", "a_rather_long_name_id"], ["列の名前"], ["ستون"]]
POLICIES = ["delete", "move", "set-null", "stop"]

RUNS = {
    "hostile": run(EVIL, [edge('public."%s"' % LONG, [LONG], EVIL, "delete", 5), edge("public.日本語のとても長いテーブル名です日本語の", ["列"], EVIL, "move", 7),
                          edge('شیما."جدول فارسی"', ["ستون"], EVIL, "set-null", 9), edge("🦄🎉", ["`; end]"], EVIL, "stop", 0),
                          edge(EVIL, [EVIL], "🦄🎉", "delete", 3), edge("🦄🎉", [EVIL], "🦄🎉", "odd", None)],
                   5000, EVIL, ["SELECT '" + EVIL + "' -- '\n\"<b>" + LONG * 9]),
    "large": run("purge-everything-older-than-seven-years",
                 [edge("app%d.table_%03d" % (i % 4, i), KEYS[i % 5], "app%d.table_%03d" % (((i - 1) // 3) % 4, (i - 1) // 3) if i > 3 else
                       "purge-everything-older-than-seven-years", POLICIES[i % 4], i * 7919 % 100000 * (i % 3)) for i in range(1, 201)],
                 3 * 86400),
    "little": {"run": 1, "plan": "x", "state": "interrupted", "table": "public.t", "started": at(0), "seconds": 0.1},
}

for name, data in RUNS.items():
    with open("%s/%s.json" % (sys.argv[1], name), "w", encoding="utf-8") as out:
        json.dump(data, out, ensure_ascii=False)
