"""A headless Chromium for tests of pages, over the DevTools protocol on two pipes; with no network where a namespace can be had.

Run by itself it makes a picture: browser.py PAGE.html PICTURE.png [WIDTH [HEIGHT]], such as those in docs/images."""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


def data_of(text):
    """What a page has for its scripts to show."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


class Browser:
    """Opens one page at a time: open() says what the console and the page's errors were; run() evaluates an expression in it."""

    def __init__(self, folder):
        to_read, self.output = os.pipe()
        self.input, to_write = os.pipe()
        alone = ["unshare", "--net"] if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0 else []
        pipes = ["sh", "-c", f'exec 3<&{to_read} 4>&{to_write} && exec "$@"', "sh"]
        self.process = subprocess.Popen([*alone, *pipes, PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}",
                                         "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe", "about:blank"],
                                        pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.pending, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.output)
        os.close(self.input)

    def message(self):
        while b"\0" not in self.pending:
            more = os.read(self.input, 1 << 16)
            if not more:
                raise RuntimeError("the browser has gone")
            self.pending += more
        text, self.pending = self.pending.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters, **({"sessionId": self.session} if self.session else {})}
        os.write(self.output, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path, width, height=900, dark=False):
        """What went wrong on the page, and what it asked a network for."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        self.call("Page.navigate", url=f"file://{path}")
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.message())
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")
        problems, asked = [], []
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                problems.append(parameters["exceptionDetails"]["text"] + " " + parameters["exceptionDetails"].get("exception", {}).get("description", ""))
            elif method == "Log.entryAdded":
                problems.append(parameters["entry"]["text"])
            elif method == "Runtime.consoleAPICalled":
                problems.append(str(parameters["args"]))
            elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith(("file:", "data:")):
                asked.append(parameters["request"]["url"])
        return problems, asked

    def run(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"]))
        return result["result"].get("value")

    def screenshot(self, path, height=None):
        clip = {"clip": {"x": 0, "y": 0, "width": self.run("innerWidth"), "height": height, "scale": 1}} if height else {}
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True, **clip)["data"]))


if __name__ == "__main__":
    page, picture, width, height = (*sys.argv[1:], *("1280", "900")[len(sys.argv) - 3:])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        one = Browser(profile)
        problems, _ = one.open(os.path.abspath(page), int(width))
        one.screenshot(picture, int(height))
        one.close()
    sys.exit("\n".join(problems) or 0)
