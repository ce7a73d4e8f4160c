"""How long a plugin's process takes to start, and what it takes in memory."""

import table


def measure(daemon, options):
    for name in [plugin["name"] for plugin in listed(daemon)]:
        starts = []
        for _ in range(options.rounds):
            daemon.call("ReloadPlugin", name=name)
            starts.append(int(find(daemon, name)["startNanoseconds"]) / 1e6)
        table.row(f"{name}, start of its process", starts)


def measure_memory(daemon):
    """After all that the plugins were asked for."""
    for plugin in listed(daemon):
        memory = int(plugin["residentBytes"]) / (1 << 20)
        table.row(f"{plugin['name']} resident", [memory], "MiB", f"  after {plugin['calls']} calls")


def find(daemon, name):
    return next(plugin for plugin in listed(daemon) if plugin["name"] == name)


def listed(daemon):
    plugins = daemon.call("ListPlugins")["plugins"]
    for plugin in plugins:
        if plugin.get("state") != "READY":
            raise RuntimeError(f"the plugin {plugin['name']} does not work: {plugin.get('message')}")
    return plugins
