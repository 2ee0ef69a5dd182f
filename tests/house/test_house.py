"""The rules of the house that a program can hold."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib

import psycopg2
import pytest

from launch.keel import procfile
from launch.processes import ROOT
from shopify_app.config import REQUIRED, read_settings
from shopify_app.db.migrate import MigrationError, migrate, migrations
from shopify_app.db.webhook_inbox import APART, PRIVACY
from shopify_app.errors import InvalidSettingsError, MissingSettingsError
from shopify_app.usecases.doorbells import DOORBELLS, PERIODIC_JOBS, Doorbell, function_of
from shopify_app.usecases.inbox.ingest import HANDLERS, TOGETHER
from shopify_app.usecases.rounds import ShopWork
from shopify_app.web import create_app
from tests.conftest import new_database

GOOD = {
    "APP_ENV": "production",
    "APP_URL": "https://keel.example.com",
    "DATABASE_URL": "postgresql://x",
    "REDIS_URL": "redis://x",
    "TOKEN_KEYS": "k1:" + "MDAw" * 10 + "MDA=",
    "SHOPIFY_API_KEY": "a" * 32,
    "SHOPIFY_API_SECRET": "s" * 32,
}


PUBLIC = {
    "assets.show",
    "health.healthz",
    "health.readyz",
    "patch_id_token",
    "oauth.begin",
    "oauth.callback",
    "webhooks.receive",
    "purchase_orders.show",
    "purchase_orders.show_csv",
}
"""Routes that prove themselves otherwise (a signature, a signed link) or tell nothing."""


def functions(path):
    return [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)
    ]


def sql_arguments(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name)):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if name in ("execute", "execute_values", "executemany", "copy_expert"):
                yield node, node.args[1 if name == "execute_values" else 0]


DB = sorted((ROOT / "shopify_app/db").glob("*.py"))


@pytest.mark.parametrize(
    "path", [p for p in DB if p.name not in ("migrate.py", "frames.py")], ids=lambda p: p.stem
)
def test_sql_is_a_literal_inside_the_function_that_runs_it(path):
    for call, query in sql_arguments(path):
        assert isinstance(query, ast.Constant) and isinstance(query.value, str), (
            f"{path.name}:{call.lineno}"
        )


def test_sql_is_nowhere_but_in_db():
    others = [path for path in (ROOT / "shopify_app").rglob("*.py") if path.parent.name != "db"]
    assert len(others) > 200  # the rooms too
    for path in [*others, *(ROOT / "workers").rglob("*.py")]:
        assert not list(sql_arguments(path)), path


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in DB
        if p.stem
        not in (
            "connection",
            "migrate",
            "token_cipher",
            "redactions",
            "webhook_inbox",
            "__init__",
        )
    ],
    ids=lambda p: p.stem,
)
def test_every_query_names_its_shop_or_says_that_the_sweeper_asks(path):
    for function in functions(path):
        said = (ast.get_docstring(function) or "").lower()
        for _, query in (
            (c, q)
            for c, q in sql_arguments(path)
            if function.lineno <= c.lineno <= function.end_lineno
        ):
            if (
                isinstance(query, ast.Constant)
                and "information_schema" not in query.value
                and "schema_migrations" not in query.value
            ):
                named = (
                    "shop_id" in query.value
                    or "CREATE TEMP" in query.value
                    or "INTO found" in query.value
                )
                assert named or "sweeper" in said or function.name == "by_domain", (
                    f"{path.name}: {function.name}"
                )


def test_migrations_bring_an_empty_database_up_and_run_once(postgres):
    url = new_database(postgres, "from_empty")
    assert migrate(url) == [m.name for m in migrations()]
    assert migrate(url) == []


def test_a_migration_with_a_gap_or_changed_afterwards_is_refused(tmp_path, postgres):
    (tmp_path / "0002_x.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match="without gaps"):
        migrations(tmp_path)
    url = new_database(postgres, "changed")
    (tmp_path / "0002_x.sql").rename(tmp_path / "0001_x.sql")
    migrate(url, tmp_path)
    (tmp_path / "0001_x.sql").write_text("SELECT 2")
    with pytest.raises(MigrationError, match="changed after"):
        migrate(url, tmp_path)


def catalogue(url, query):
    conn = psycopg2.connect(url)
    try:
        with conn.cursor() as cur:
            cur.execute(query)
            return cur.fetchall()
    finally:
        conn.close()


def test_every_table_of_a_shop_forces_row_level_security(database):
    found = catalogue(
        database,
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'shop_id' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace",
    )
    assert len(found) >= 20
    assert [name for name, on, forced in found if not (on and forced)] == []


def test_the_roles_of_a_transaction_can_bypass_nothing(database):
    flags = catalogue(
        database,
        "SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole FROM pg_roles WHERE rolname LIKE 'keel\\_%'",
    )
    assert flags == [(False, False, False, False)] * 3
    assert catalogue(
        database,
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner LIKE 'keel\\_%'",
    ) == [(0,)]


def test_every_foreign_key_between_shop_tables_carries_the_shop(database):
    keys = catalogue(
        database,
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace",
    )
    assert len(keys) >= 20
    assert [name for name, text in keys if "shop_id" not in text] == []


def test_the_schema_for_readers_is_current(database):
    tables = {
        row[0]
        for row in catalogue(
            database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
    }
    text = (ROOT / "migrations/schema.sql").read_text()
    assert set(re.findall(r"CREATE TABLE public\.(\w+)", text)) == tables
    columns = catalogue(
        database,
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'schema_migrations'",
    )
    for table, column in columns:
        block = text.split(f"CREATE TABLE public.{table} (")[1].split("\n);")[0]
        assert re.search(rf"^\s+\"?{column}\"?\s", block, re.MULTILINE), f"{table}.{column}"


def test_missing_settings_are_all_named_at_once_and_production_takes_no_other_shopify():
    with pytest.raises(MissingSettingsError) as missing:
        read_settings({})
    assert all(name in str(missing.value) for name in REQUIRED)
    assert read_settings(GOOD).shop_url("a.myshopify.com") == "https://a.myshopify.com"
    for change in (
        {"SHOPIFY_BASE_URL_TEMPLATE": "http://127.0.0.1/{shop}"},
        {"APP_BRIDGE_URL": "https://evil.com/x.js"},
        {"SHOPIFY_ADMIN_ORIGIN": "https://evil.com"},
        {"APP_URL": "http://x"},
        {"TOKEN_KEYS": "k1:short"},
        {"APP_ENV": "prod"},
        {"METRICS_PORT": "many"},
    ):
        with pytest.raises(InvalidSettingsError):
            read_settings(GOOD | change)


def test_the_example_environment_names_every_setting_there_is():
    example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = set(
        re.findall(r"env(?:\.get\(|\[)\"([A-Z_]+)\"", (ROOT / "shopify_app/config.py").read_text())
    ) | set(REQUIRED)
    assert example == read


def test_every_route_is_proved_or_marked_public(settings_env):
    app = create_app()
    open_routes = {
        name for name, view in app.view_functions.items() if getattr(view, "is_public", False)
    }
    assert open_routes == PUBLIC
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in open_routes:
            continue
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            answer = client.open(path, method=method)
            assert answer.status_code in (302, 401), f"{method} {path}"


def queues_taken_from():
    lines = " ".join(procfile().values())
    return {queue for found in re.findall(r"--queues (\S+)", lines) for queue in found.split(",")}


def what_is_wrong_with(bells, tasks):
    """Doorbells without a worker, a task or a function; queues and tasks without a doorbell; names given twice."""
    wrong = [
        f"{bell.name}: {lacks}"
        for bell in bells
        for lacks, has in (
            ("no worker", bell.queue in queues_taken_from()),
            ("no task", bell.name in tasks and tasks[bell.name].time_limit == bell.seconds[1]),
            ("no function", is_function(bell.do)),
        )
        if not has
    ]
    wrong += sorted(queues_taken_from() - {bell.queue for bell in bells})
    ours = {name for name in tasks if name.startswith("workers.")}
    wrong += sorted(ours - {bell.name for bell in bells})
    names = [bell.name for bell in bells]
    names += [bell.due.what for bell in bells if isinstance(bell.due, ShopWork)]
    return wrong + sorted({name for name in names if names.count(name) > 1})


def is_function(do):
    try:
        return callable(function_of(do))
    except (ImportError, AttributeError):
        return False


def our_tasks():
    from workers.celery_app import TASK_MODULES, celery

    for module in TASK_MODULES:
        __import__(module)
    return celery.tasks


def test_every_doorbell_has_a_task_a_queue_a_worker_and_a_way_to_do_it_inline(settings_env):
    assert what_is_wrong_with(DOORBELLS, our_tasks()) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ({"queue": "nobody"}, "no worker"),
        ({"name": "workers.new.one"}, "no task"),
        ({"do": "housekeeping:not_there"}, "no function"),
        ({"do": "not_there:keep_house"}, "no function"),
    ],
)
def test_a_doorbell_that_lacks_something_is_found(settings_env, planted, found):
    first = {name: getattr(DOORBELLS[0], name) for name in Doorbell.__slots__}
    wrong = what_is_wrong_with((*DOORBELLS, Doorbell(**first | planted)), our_tasks())

    assert [line for line in wrong if line.endswith(found)], wrong


def test_every_periodic_job_has_a_function_and_a_name_of_its_own():
    assert [job.what for job in PERIODIC_JOBS if not is_function(job.do)] == []
    assert len({job.what for job in PERIODIC_JOBS}) == len(PERIODIC_JOBS)


def test_only_work_that_the_registry_knows_is_asked_for():
    known = {bell.due.what for bell in DOORBELLS if isinstance(bell.due, ShopWork)}
    asked = {
        what
        for path in (ROOT / "shopify_app").rglob("*.py")
        for call in re.findall(r"due_work\.\w+\(([^()]*)", path.read_text())
        for what in re.findall(r'"(\w+)"', call)
    }
    assert asked == known


def test_tasks_are_made_from_the_registry_and_nowhere_else():
    makers = [path.name for path in (ROOT / "workers").glob("*.py") if ".task(" in path.read_text()]
    assert makers == ["tasks.py"]


def test_every_topic_that_is_subscribed_is_handled_and_the_other_way_round():
    parsed = tomllib.loads((ROOT / "shopify.app.toml").read_text())
    topics = {
        topic for entry in parsed["webhooks"]["subscriptions"] for topic in entry.get("topics", [])
    }
    assert topics | set(PRIVACY) == set(HANDLERS) | set(TOGETHER) | set(APART)


def test_nothing_installs_a_module_of_our_name():
    assert importlib.metadata.packages_distributions().get("shopify_app") is None


def test_the_web_process_loads_no_pandas(settings_env):
    code = "import sys, shopify_app.web; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_a_pump_that_only_rings_loads_no_pandas(settings_env):
    code = "import sys, workers.pump; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_shopifyapis_shared_session_is_never_touched():
    for path in [*(ROOT / "shopify_app").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]:
        assert not re.search(
            r"activate_session|ShopifyResource|Session\.temp|Session\.setup", path.read_text()
        ), path


def test_nothing_that_is_kept_names_this_machine_or_a_registry():
    listed = subprocess.run(
        ["git", "ls-files"], check=False, cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    if not listed:
        pytest.skip("not a git checkout")
    for name in listed:
        path = ROOT / name
        if (
            path.suffix
            in (".py", ".md", ".toml", ".txt", ".in", ".yaml", ".html", ".js", ".css", ".sql", "")
            and path.is_file()
        ):
            text = path.read_text(errors="replace")
            assert not re.search(
                r"/wor[k]/|files\.pythonhoste[d]|pypi\.or[g]|registry\.npm", text
            ), name
