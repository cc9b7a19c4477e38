"""Chromium without a window, steered over a pipe by the DevTools protocol; no library, no port.

    with Chromium(program) as page:
        page.size(360, 800); page.media("screen", "dark"); page.open("file:///...")
        page.ask("document.title"); page.requests; page.complaints
"""
import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

PATIENCE = 60


class Chromium:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="pgwinnow-browser.")
        to_browser, our_end = os.pipe()
        our_other_end, from_browser = os.pipe()

        def as_three_and_four():
            os.dup2(to_browser, 13)
            os.dup2(from_browser, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)
            os.setsid()

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe", "--user-data-dir=" + self.folder],
            preexec_fn=as_three_and_four, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=self.folder))
        os.close(to_browser)
        os.close(from_browser)
        self.writing, self.reading = our_end, our_other_end
        self.buffer, self.answers, self.number, self.session = b"", {}, 0, None
        self.requests, self.complaints, self.loaded = [], [], False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.writing)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.writing, data):]
        self.hear_until(lambda: self.number in self.answers)
        answer = self.answers.pop(self.number)
        if "error" in answer:
            raise RuntimeError(method + ": " + answer["error"]["message"])
        return answer["result"]

    def hear_until(self, done):
        end = time.monotonic() + PATIENCE
        while not done():
            if not select.select([self.reading], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError("the browser does not answer")
            part = os.read(self.reading, 1 << 20)
            if not part:
                raise RuntimeError("the browser has ended")
            *messages, self.buffer = (self.buffer + part).split(b"\0")
            for message in messages:
                self.hear(json.loads(message))

    def hear(self, message):
        if "id" in message:
            self.answers[message["id"]] = message
            return
        about = message.get("params", {})
        if message["method"] == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif message["method"] == "Log.entryAdded":
            self.complaints.append(about["entry"]["level"] + ": " + about["entry"]["text"])
        elif message["method"] == "Runtime.consoleAPICalled":
            self.complaints.append("console." + about["type"])
        elif message["method"] == "Runtime.exceptionThrown":
            self.complaints.append("exception: " + about["exceptionDetails"]["text"])
        elif message["method"] == "Page.javascriptDialogOpening":
            self.complaints.append("dialog: " + about["message"])
        elif message["method"] == "Page.loadEventFired":
            self.loaded = True

    def size(self, width, height, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600)

    def media(self, medium, scheme):
        self.call("Emulation.setEmulatedMedia", media=medium, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.loaded = False
        self.call("Page.navigate", url=url)
        self.hear_until(lambda: self.loaded)

    def ask(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", "?"))
        return answer["result"].get("value")

    def picture(self, file, clip=None):
        more = {"clip": dict(clip, scale=1)} if clip else {}
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, **more)
        with open(file, "wb") as out:
            out.write(base64.b64decode(answer["data"]))

    def paper(self, file):
        answer = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True, paperWidth=8.27, paperHeight=11.69)
        with open(file, "wb") as out:
            out.write(base64.b64decode(answer["data"]))
