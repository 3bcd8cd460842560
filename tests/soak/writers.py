"""What writes to a server while Headwater reads it, each writer on its own connection and thread.

All choices come from the seed; how they interleave does not.
"""

import datetime
import random
import subprocess
import threading
from collections import Counter

from source_tables import AHEAD, BRISK, DATABASE, SETTLE_SECONDS

LONG_SECONDS = 2 * SETTLE_SECONDS  # How long a transaction may stay open.
RECENT = "at between now() - interval '30 minutes' and now()"  # Well within the lookback.
HISTORY = "at between now() - interval '20 days' and now() - interval '150 minutes'"
END = "-- end of the answer --"


class Session:
    """One psql that takes statements one after the other. Confined to one thread."""

    def __init__(self, server):
        command, environment = server.psql_command(DATABASE, "-At")
        self.process = subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, statement):
        """The lines of the answer."""
        self.process.stdin.write(f"{statement};\n\\echo '{END}'\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline().rstrip("\n")) != END:
            if not line and self.process.poll() is not None:
                raise RuntimeError(f"{statement}: {' '.join(lines)}")
            lines.append(line)
        return lines

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class Writer(threading.Thread):
    """Repeats `turn` until `stop` is set; what is open then is committed."""

    def __init__(self, name, server, seed, stop, pause):
        super().__init__(name=f"{type(self).__name__} of {name}")
        self.server_name, self.stop, self.pause = name, stop, pause
        self.random = random.Random(f"{seed}/{self.name}/{pause}")
        self.written, self.failure = Counter(), None
        self._session = Session(server)

    def run(self):
        try:
            while not self.stop.is_set():
                self.turn()
                self.stop.wait(self.random.uniform(0, 2 * self.pause))
            self._session.close()
        except Exception as failure:  # Told to the test, which fails with it.
            self.failure = failure
            self._session.process.kill()

    def sql(self, statement):
        return self._session.run(statement)

    def chance(self, share):
        return self.random.random() < share

    def transaction(self, kind, statements, hold):
        """`statements` one by one with `hold` seconds between them; counts the rows they say."""
        self.sql("begin")
        rows = 0
        for statement in statements:
            rows += sum(int(line) for line in self.sql(f"with done as ({statement} returning 1) "
                                                       "select count(*) from done"))
            self.stop.wait(hold)
        if self.chance(0.1):
            self.sql("rollback")
            self.written["rolled back"] += rows
        else:
            self.sql("commit")
            self.written[kind] += rows


class Arrivals(Writer):
    """Rows of now, in transactions that commit in another order than they began."""

    def turn(self):
        brief = self.server_name == BRISK or self.chance(0.7)
        hold = self.random.uniform(0, 0.2 if brief else LONG_SECONDS / 3)
        self.transaction("now", [self.statement() for _ in range(3)], hold)

    def statement(self):
        table = self.random.choice(["events", "stream", "orders", "orders"])
        stamp = self.random.choice(["now()", "clock_timestamp()"])
        if table == "events" and self.chance(0.03):
            stamp = self.random.choice(["null", "timestamptz '2099-01-01'"])
        if table == "stream" and self.server_name == AHEAD and self.chance(0.01):
            stamp = "now() + interval '20 hours'"
        if table == "stream" and self.server_name != AHEAD and self.chance(0.3):
            # A twin of the newest row. (Where rows lie ahead of the clock, the newest that does not
            # may have settled.)
            stamp = "(select max(at) from stream)"
        note = self.random.choice(["null", "''", "'tie'", "'row ' || txid_current()"])
        return (f"insert into {table}(at, note) select {stamp}, {note} "
                f"from generate_series(1, {self.random.randint(1, 6)})")


class Behind(Writer):
    """Rows of an application whose clock is behind, committed at once: what is stamped before its
    transaction began has until `settle` to come."""

    def turn(self):
        seconds = self.random.uniform(0, SETTLE_SECONDS / 2)
        self.transaction("behind", ["insert into stream(at) select clock_timestamp() - "
                                    f"interval '{seconds:.3f} seconds'"], 0)


class LateRows(Writer):
    """Batches of older stamps in random order, over a while."""

    def turn(self):
        for _ in range(self.random.randint(1, 5)):
            seconds = [self.random.uniform(0.1, 1700) for _ in range(self.random.randint(1, 20))]
            values = ", ".join(f"(now() - interval '{s:.3f} seconds', 'late')" for s in seconds)
            self.transaction("late", [f"insert into events(at, note) values {values}"],
                             self.random.uniform(0, 0.3))
            self.stop.wait(self.random.uniform(0, 1))


class Changes(Writer):
    """Updates and deletes of what the lookback reads."""

    def turn(self):
        chosen = (f"id in (select id from events where {RECENT} "
                  f"order by random() limit {self.random.randint(1, 5)})")
        if self.chance(0.7):
            self.transaction("updated", [f"update events set v = v + 1 where {chosen}"],
                             self.random.uniform(0, 1))
        else:
            self.transaction("deleted", [f"delete from events where {chosen}"],
                             self.random.uniform(0, 1))


class OldChanges(Writer):
    """What only a backfill finds: rows older than the lookback come, change and go."""

    def turn(self):
        chosen = f"id in (select id from events where {HISTORY} order by random() limit 3)"
        hours = self.random.uniform(3, 480)
        statement = self.random.choice([
            f"update events set v = v + 1 where {chosen}", f"delete from events where {chosen}",
            f"insert into events(at, note) select now() - interval '{hours:.4f} hours', 'old' "
            "from generate_series(1, 3)"])
        self.transaction("history", [statement], self.random.uniform(0, 0.5))


class Nights(Writer):
    """Batches of one day each, in random order and several transactions, days through the end of
    daylight saving."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.day = datetime.date(2025, 10, 21)

    def turn(self):
        for _ in range(self.random.randint(2, 5)):
            count = self.random.randint(5, 30)
            stamp = f"timestamp '{self.day}' + floor(random() * 86400) * interval '1 second'"
            self.transaction("nightly", [f"insert into nightly(at) select {stamp} "
                                         f"from generate_series(1, {count})"],
                             self.random.uniform(0, 0.2))
            self.stop.wait(self.random.uniform(0, 3))
        self.day += datetime.timedelta(days=1)


class Ties(Writer):
    """Now and then more rows on the very newest instant, however long ago that was."""

    def turn(self):
        stamp = self.random.choice(["now()", "(select max(at) from ties)"])
        self.transaction("ties", [f"insert into ties(at) select {stamp} "
                                  f"from generate_series(1, {self.random.randint(1, 3)})"], 0)


class Accounts(Writer):
    """A small table that is always loaded whole."""

    def turn(self):
        chosen = "id in (select id from accounts order by random() limit 2)"
        statement = self.random.choice([
            f"update accounts set v = v + 1 where {chosen}",
            f"delete from accounts where {chosen}",
            "insert into accounts(note) select 'new account' from generate_series(1, 2)"])
        self.transaction("accounts", [statement], self.random.uniform(0, 0.5))


def writers_of(name, server, seed, stop):
    arrivals = [Arrivals(name, server, seed, stop, pause) for pause in (0.05, 0.1, 0.2, 0.3)]
    others = ((Behind, 0.3), (LateRows, 1), (Changes, 0.2), (OldChanges, 0.5), (Nights, 5), (Ties, 6),
              (Accounts, 1))
    return arrivals + [kind(name, server, seed, stop, pause) for kind, pause in others]
