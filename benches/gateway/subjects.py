"""What is measured: the gateway, the bare proxy below it, and other gateways."""
import grp
import os
import pwd
import re
import shutil
from dataclasses import dataclass
from typing import Callable

from machine import HERE, PROXY_CORE, Server, status

JWT = ["one", "many", "es256", "none", "forged", "tls", "body", "h2"]
BARE = ["one", "many", "es256", "opaque", "tls", "body", "h2"]
STORMS = ["beside remembered", "beside new", "beside forged"]


@dataclass(frozen=True, eq=False)
class Subject:
    name: str                   # rows of one name belong together
    kind: str                   # tells apart the processes of one name
    argv: Callable              # writes its configuration, and returns its command line
    cases: list
    at: dict                    # port by protocol: http1, h2, tls
    checks: bool = True         # whether it lets nobody pass without a good token
    opaque: bool = False        # whether it knows opaque tokens
    needs: str = ""             # the program without which it is left out
    quiet: bool = True          # whether it writes no line for each request

    def start(self, run):
        log = os.path.join(run, re.sub(r"\W+", "-", f"{self.name} {self.kind}") + ".log")
        return Server(self.argv(), PROXY_CORE, log, {"RUST_LOG": "warn"} if self.quiet else {})


def render(template, values, flags=()):
    """A file of peers/: `@NAME@` is replaced; from `#if FLAG` to `#endif` stays if FLAG is on."""
    out, keep = [], True
    with open(os.path.join(HERE, "peers", template)) as f:
        for line in f:
            if line.startswith("#if "):
                keep = line.split()[1] in flags
            elif line.startswith("#endif"):
                keep = True
            elif keep:
                out.append(line)
    return re.sub(r"@([A-Z0-9_]+)@", lambda name: str(values[name[1]]), "".join(out))


def subjects(values, programs, ports):
    """All of them, in the order in which they take turns. `values` fills in the templates, `programs` are those that cargo builds."""
    run = values["RUN"]

    def places(*protocols):
        return {protocol: next(ports) for protocol in protocols}

    def configured(command, template, at, *flags, **more):
        """A command whose argument `@` is its configuration, written when it starts."""
        name = f"{run}/{at['http1']}-{template}"

        def argv():
            filled = {**values, **more, **{protocol.upper(): port for protocol, port in at.items()}}
            with open(name, "w") as f:
                f.write(render(template, filled, flags))
            return [name if word == "@" else word for word in command]
        return argv

    def bare(at, *arguments):
        argv = [programs["bench"], "proxy", f"listen=127.0.0.1:{at['http1']}", f"upstream=127.0.0.1:{values['UP']}"]
        if "tls" in at:
            argv += [f"tls=127.0.0.1:{at['tls']}", f"certificate={run}/tls.crt", f"key={run}/tls.key"]
        return lambda: argv + list(arguments)

    def same(at):
        return {**at, "h2": at["http1"]}

    found = []
    at = same(places("http1", "tls"))
    found.append(Subject("bare pingora", "passes", bare(at), BARE + ["first"] + STORMS, at, checks=False))
    at = same(places("http1"))
    found.append(Subject("bare pingora", "refuses", bare(at, "refuse=1"), ["none", "forged"], at, checks=False))
    for name, gateway in programs["gateways"]:
        command = [gateway, "run", "--config", "@"]
        at = same(places("http1", "tls"))
        found.append(Subject(name, "remembers", configured(command, "tollgate.yaml", at, CACHE="64MiB"),
                             JWT + ["opaque"] + STORMS, at, opaque=True))
        at = same(places("http1", "tls"))
        found.append(Subject(name, "remembers little", configured(command, "tollgate.yaml", at, CACHE="1MiB"),
                             ["first"], at, opaque=True))
        at = same(places("http1", "tls"))
        found.append(Subject(f"{name}, a log line each", "", configured(command, "tollgate.yaml", at, CACHE="64MiB"),
                             ["one", "none"], at, opaque=True, quiet=False))
    for kind, flags in (("jwt_verify", ()), ("jwt_verify, stick-table by hand", ("remember",))):
        at = same(places("http1", "tls"))
        more = {"UNLESS_KNOWN": " unless known" if flags else "", "KNOWN_OR": "known || " if flags else ""}
        found.append(Subject(f"HAProxy {kind}", "", configured(["haproxy", "-db", "-q", "-f", "@"], "haproxy.cfg", at, *flags, **more),
                             JWT if flags else JWT + ["first"], at, needs="haproxy"))
    at = places("http1", "tls", "h2")
    found.append(Subject("nginx, no check", "", configured(["nginx", "-e", f"{run}/nginx.err", "-c", "@"], "nginx.conf", at),
                         BARE, at, checks=False, needs="nginx"))
    for kind, flag, cases in (("JWT", "jwt", ["one", "many", "es256", "first", "none", "forged"]), ("introspection", "opaque", ["opaque"])):
        at = places("http1")
        user = {"USER": pwd.getpwuid(os.getuid() or 33)[0], "GROUP": grp.getgrgid(os.getgid() or 33)[0]}
        found.append(Subject("Apache mod_oauth2", kind, configured(["apache2", "-X", "-d", run, "-f", "@"], "apache.conf", at, flag, **user),
                             cases, at, opaque=flag == "opaque", needs="apache2"))
    for kind, flags in (("jwt_authn", ()), ("jwt_authn with its cache", ("remember",))):
        at = same(places("http1"))
        argv = [programs["envoy"] or "envoy", "--concurrency", "1", "-l", "error", "--disable-hot-restart", "-c", "@"]
        found.append(Subject(f"Envoy {kind} + RBAC", "", configured(argv, "envoy.yaml", at, *flags),
                             [case for case in JWT if case != "tls"] + ([] if flags else ["first"]), at, needs=argv[0]))
    return [subject for subject in found if not subject.needs or shutil.which(subject.needs)]


def misjudged(subject, tokens):
    """What a subject takes that it must not, and what it does not take that it should."""
    def ask(name):
        with open(os.path.join(tokens, name)) as f:
            return status(subject.at["http1"], f.read().strip())

    jwt = "one" in subject.cases or "first" in subject.cases
    good = (["rs256", "es256"] if jwt else []) + (["opaque"] if subject.opaque else [])
    said = {name: ask(name) for name in good}
    said["no token"] = status(subject.at["http1"])
    if jwt:
        said.update({name: ask(name) for name in sorted(os.listdir(tokens)) if name.startswith("bad-")})
    wrong = {name: code for name, code in said.items() if (code != 200 if name in good else code not in (400, 401, 403))}
    return ", ".join(f"{name}: {code}" for name, code in wrong.items())
