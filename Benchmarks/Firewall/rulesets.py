"""Rule configurations for the measurements: Debian's recommended one and its Core Rule Set, switched as asked, and
enlarged copies of the rule set in which nothing is the same.

`main` writes one file that libmodsecurity and Kabuto load alike; Apache's ModSecurity 2 has a recommended file of its own.
"""
import glob
import os
import re
import shutil

RECOMMENDED = {"nginx": "/etc/nginx/modsecurity.conf", "apache": "/etc/modsecurity/modsecurity.conf-recommended"}
MAPPING = {"nginx": "/etc/nginx/unicode.mapping", "apache": "/etc/modsecurity/unicode.mapping"}
DEBIAN_RULES = "/usr/share/modsecurity-crs/rules"
DEBIAN_SETUP = "/etc/modsecurity/crs"

# The regression tests' set-up: everything on, limits that the tests reach (SOURCES.md, "Set-up that the tests assume").
REGRESSION = (
    'SecAction "id:900005,phase:1,nolog,pass,ctl:ruleEngine=DetectionOnly,ctl:ruleRemoveById=910000,setvar:tx.paranoia_level=4,'
    'setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.combined_file_sizes=65535"\n')


def missing(flavour="nginx"):
    """The files that aren't there, with the Debian packages that bring them."""
    package = {"nginx": "libnginx-mod-http-modsecurity", "apache": "libapache2-mod-security2"}[flavour]
    wanted = {RECOMMENDED[flavour]: package, MAPPING[flavour]: package, DEBIAN_RULES: "modsecurity-crs", DEBIAN_SETUP: "modsecurity-crs"}
    return {path: package for path, package in wanted.items() if not os.path.exists(path)}


def recommended(folder, flavour="nginx", engine="On", audit=None, match_limit=None):
    """The recommended configuration with paths into `folder`. `audit` is the audit log's file; without one it is off."""
    with open(RECOMMENDED[flavour]) as source:
        text = source.read()
    changes = {"SecRuleEngine": engine, "SecTmpDir": folder, "SecDataDir": folder, "SecUnicodeMapFile": f"{MAPPING[flavour]} 20127",
               "SecAuditEngine": "RelevantOnly" if audit else "Off", "SecAuditLog": audit or os.path.join(folder, "audit.log"), "SecStatusEngine": "Off"}
    if match_limit:
        changes["SecPcreMatchLimit"] = changes["SecPcreMatchLimitRecursion"] = str(match_limit)
    for name, value in changes.items():
        text = re.sub(rf"^{name}\s.*$", f"{name} {value}", text, flags=re.M)
    path = os.path.join(folder, f"recommended-{flavour}.conf")
    with open(path, "w") as out:
        out.write(text)
    return path


def paranoia(level):
    return (f'SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level={level}"\n' if level != 1 else "")


def main(folder, rules=DEBIAN_RULES, extra="", name="main.conf", copies=(), **how):
    """One file that includes everything in Debian's order; `extra` goes before the rules. Its path."""
    os.makedirs(folder, exist_ok=True)
    first = recommended(folder, **how)
    setup = os.path.join(rules, "..", "crs-setup.conf.example")
    if not os.path.exists(setup):
        setup = os.path.join(DEBIAN_SETUP, "crs-setup.conf")
    if how.get("flavour") == "apache" and not rules.startswith("/usr/share"):
        raise ValueError("Apache takes Debian's rules")
    with open(os.path.join(folder, "extra.conf"), "w") as out:
        out.write(extra)
    lines = [first, os.path.normpath(setup), os.path.join(folder, "extra.conf")]
    lines += [os.path.join(rules, "*.conf"), *(os.path.join(copy, "*.conf") for copy in copies)]
    path = os.path.join(folder, name)
    with open(path, "w") as out:
        out.writelines(f"Include {line}\n" for line in lines)
    return path


# Copies of a rule set in which nothing is the same

DIRECTIVE = re.compile(r'^(SecRule|SecAction)\s+(?:("(?:[^"\\]|\\.)*"|\S+)\s+"((?:[^"\\]|\\.)*)"\s*)?(?:"((?:[^"\\]|\\.)*)")?\s*$', re.S)
STEPS = ("t:trim", "t:removeNulls", "t:trimLeft", "t:trimRight", "t:replaceNulls")


def letters(number):
    """A number in letters that no word of a rule ends in."""
    return "qz" + "".join(chr(ord("k") + int(digit)) for digit in str(number))


def changed_pattern(pattern, mark):
    """A regular expression whose literal words are other words: `mark` goes to the end of each, before its last letter if
    that has a quantifier. Where it has no word, one is added as an alternative."""
    out, at, words = [], 0, 0
    while at < len(pattern):
        c = pattern[at]
        if c == "\\":
            size = 4 if pattern[at + 1:at + 2] == "x" else 2
            if pattern.startswith("\\Q", at):
                size = pattern.index("\\E", at) + 2 - at if "\\E" in pattern[at:] else len(pattern) - at
            elif pattern[at + 1:at + 2] in ("p", "P", "g", "k") and pattern[at + 2:at + 3] in ("{", "<"):
                size = pattern.index("}" if pattern[at + 2] == "{" else ">", at) + 1 - at
            out.append(pattern[at:at + size])
            at += size
        elif c == "[":
            end = at + 1
            if pattern[end:end + 1] == "^":
                end += 1
            if pattern[end:end + 1] == "]":
                end += 1
            while pattern[end] != "]":
                if pattern[end] == "\\":
                    end += 1
                elif pattern.startswith("[:", end):
                    end = pattern.index(":]", end) + 1
                end += 1
            out.append(pattern[at:end + 1])
            at = end + 1
        elif c == "(" and pattern.startswith("(?", at):
            found = re.compile(r"\(\?(?:P?<\w+>|<?[=!]|[a-zA-Z-]*[:)]|>|\|)").match(pattern, at)
            out.append(found.group(0) if found else "(?")
            at += len(out[-1])
        elif c == "{" and re.compile(r"\{\d+(,\d*)?\}").match(pattern, at):
            end = pattern.index("}", at) + 1
            out.append(pattern[at:end])
            at = end
        elif c.isalpha():
            end = at
            while end < len(pattern) and pattern[end].isalpha():
                end += 1
            run = pattern[at:end]
            if len(run) >= 3:
                words += 1
                run = run[:-1] + mark + run[-1] if pattern[end:end + 1] in ("?", "*", "+", "{") else run + mark
            out.append(run)
            at = end
        else:
            out.append(c)
            at += 1
    return "".join(out) if words else f"(?:{pattern})|{mark}word"


def changed_operator(text, mark):
    negated = text.startswith("!")
    name, _, argument = text.lstrip("!").partition(" ")
    if not name.startswith("@"):
        name, argument = "@rx", text.lstrip("!")
    if name == "@rx" and not argument.startswith("%{"):
        # What must match lest a rule does goes on matching.
        argument = f"(?:{argument})|{mark}word" if negated else changed_pattern(argument, mark)
    elif name in ("@pm", "@contains", "@beginsWith", "@endsWith") and not negated and "%{" not in argument:
        argument = " ".join(word + mark for word in argument.split(" "))
    return ("!" if negated else "") + name + (" " + argument if argument else "")


def renamed(text, number):
    """Variables of a transaction, rule numbers and marks are the copy's own."""
    text = re.sub(r"\b(tx)([.:])([a-z_][a-z0-9_-]*)", rf"\1\2\3_c{number}", text, flags=re.I)
    text = re.sub(r"(\bid:'?|ruleRemoveById=|ruleRemoveTargetById=)(9\d{5})(?:-(9\d{5}))?",
                  lambda found: found[1] + f"{number}{found[2]}" + (f"-{number}{found[3]}" if found[3] else ""), text)
    return re.sub(r"(skipAfter:'?)([A-Za-z0-9_-]+)", rf"\1\2-C{number}", text)


def copy(rules, folder, number, level=1):
    """Copy `number` (from 1) of the rule files in `folder`."""
    mark = letters(number)
    os.makedirs(folder, exist_ok=True)
    for path in sorted(glob.glob(os.path.join(rules, "*.data"))):
        with open(path, errors="surrogateescape") as text, open(os.path.join(folder, os.path.basename(path)), "w", errors="surrogateescape") as out:
            out.writelines(line if line.startswith("#") or not line.strip() else line.rstrip("\n") + mark + "\n" for line in text)
    for path in sorted(glob.glob(os.path.join(rules, "*.conf"))):
        lines = []
        with open(path, errors="surrogateescape") as text:
            joined = re.sub(r"\\\n[ \t]*", "", "".join(line for line in text if not line.lstrip().startswith("#")))
        for line in joined.splitlines():
            line = line.strip()
            if line.startswith("SecMarker"):
                line = re.sub(r"(SecMarker\s+[\"']?)([A-Za-z0-9_-]+)", rf"\1\2-C{number}", line)
            elif line.startswith(("SecRule", "SecAction")):
                found = DIRECTIVE.match(line)
                if not found:
                    raise SystemExit(f"{path}: not understood: {line[:200]}")
                kind, variables, operator, actions = found.groups()
                actions = renamed(actions or "", number).replace("t:none", "t:none," + STEPS[(number - 1) % len(STEPS)], 1)
                if kind == "SecAction":
                    line = f'SecAction "{actions}"'
                else:
                    line = f'SecRule {renamed(variables, number)} "{renamed(changed_operator(operator, mark), number)}"' + (f' "{actions}"' if actions else "")
            lines.append(line + "\n")
        with open(os.path.join(folder, os.path.basename(path)), "w", errors="surrogateescape") as out:
            if "901" in os.path.basename(path):
                out.write(f'SecAction "id:{number}900990,phase:1,nolog,pass,t:none,setvar:tx.crs_setup_version_c{number}=334,setvar:tx.paranoia_level_c{number}={level}"\n')
            out.writelines(lines)
    return folder


def enlarged(folder, times, rules=DEBIAN_RULES, level=1):
    """The folders of `times` - 1 copies, for `main(copies=…)`."""
    return [copy(rules, os.path.join(folder, f"copy-{number}"), number, level) for number in range(1, times)]
