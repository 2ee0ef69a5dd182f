"""Where the simulated admin shows the app."""


def admin(world, path="", **query):
    handle = world.domain.split(".")[0]
    tail = "&".join(f"{name}={value}" for name, value in query.items())
    return f"http://localhost:{world.sim.config.port}/store/{handle}/apps/keel{path}?{tail}"
