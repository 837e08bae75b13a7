/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The library as Vala sees it: closures as tasks, yield, errors, ownership. */

/* Runs an async test on a main loop of its own turn. */
delegate void Begin (AsyncReadyCallback callback);
delegate void End (AsyncResult result) throws Error;

void iterate (Begin begin, End end) {
  var loop = new MainLoop ();
  AsyncResult? result = null;

  begin ((source, r) => {
    result = r;
    loop.quit ();
  });
  loop.run ();

  try {
    end (result);
  } catch (Error e) {
    error ("%s", e.message);
  }
}

/* Is alive as long as something refers to it. */
class Witness : Object {
  public static int n_alive = 0;
  public int n_calls = 0;

  construct {
    AtomicInt.inc (ref n_alive);
  }

  ~Witness () {
    AtomicInt.add (ref n_alive, -1);
  }
}

async void check_join () throws Error {
  var group = new Tasker.Group ("join");
  var witness = new Witness ();

  for (var i = 0; i < 100; i++) {
    group.spawn (null, (stopper) => {
      assert (stopper is Tasker.Stopper);
      AtomicInt.inc (ref witness.n_calls);
      return true;
    });
  }
  assert (yield group.join_async (null));
  assert (witness.n_calls == 100);
  assert (group.n_succeeded == 100);
}

async void check_values () throws Error {
  var group = new Tasker.Group ("values");

  for (var i = 1; i <= 10; i++) {
    var n = i;
    group.add (new Tasker.Task (@"task $n", () => {
      Value value = n * n;
      Tasker.Task.get_current ().set_value (value);
      return true;
    }));
  }

  var sum = 0;
  var tasks = yield group.collect_async (null);
  foreach (unowned var task in tasks)
    sum += task.get_value ().get_int ();
  assert (tasks.length == 10);
  assert (sum == 385);
}

async void check_errors () throws Error {
  var group = new Tasker.Group ("errors");
  var task = new Tasker.Task ("bad", () => {
    throw new IOError.EXISTS ("it is there");
  });

  group.add (task);
  try {
    yield task.join_async (null);
    assert_not_reached ();
  } catch (IOError.EXISTS e) {
    assert (e.message.contains ("it is there"));
  }
  assert (task.get_state () == Tasker.TaskState.FAILED);

  try {
    yield group.join_async (null);
    assert_not_reached ();
  } catch (IOError.EXISTS e) {
    assert (e.message.contains ("bad"));
  }
  group.finish ();
  try {
    group.try_add (new Tasker.Task ("late", () => true));
    assert_not_reached ();
  } catch (Tasker.Error.FINISHED e) {
  }
}

async void check_stop () throws Error {
  var group = new Tasker.Group ("stop");
  var task = new Tasker.Task ("sleeper", (stopper) => ((Tasker.Stopper) stopper).sleep (uint.MAX));

  group.add (task);
  assert (group.create_signaller ().stop ());
  try {
    yield task.join_async (null);
    assert_not_reached ();
  } catch (Tasker.Error.STOPPED e) {
  }
  assert (yield group.shutdown_async (1000, null));
}

async void check_stream () throws Error {
  var group = new Tasker.Group ("stream");
  var n_tasks = 0;

  for (var i = 0; i < 20; i++)
    group.spawn (@"$i", () => true);

  var stream = group.join_stream ();
  while (true) {
    var task = yield stream.next_async (null);
    if (task == null)
      break;
    assert (task.is_finished ());
    n_tasks++;
  }
  assert (n_tasks == 20);
}

async void check_steps () throws Error {
  var group = new Tasker.Group ("steps");
  unowned var thread = Thread.self<bool> ();
  var n_steps = 0;

  group.spawn_local ("steps", () => {
    assert (Thread.self<bool> () == thread);
    return ++n_steps < 5;
  });
  group.add (new Tasker.Task.interval ("ticks", 1, () => ++n_steps < 10));
  assert (yield group.join_async (null));
  assert (n_steps >= 10);
}

async void check_sleep () throws Error {
  var stopper = new Tasker.Group (null).create_stopper ();
  var begin = get_monotonic_time ();

  assert (yield stopper.sleep_async (20));
  assert (get_monotonic_time () - begin >= 20000);
  Idle.add (() => {
    stopper.cancel ();
    return Source.REMOVE;
  });
  yield stopper.wait_async ();
  assert (stopper.is_cancelled ());
}

async void check_abort () throws Error {
  var group = new Tasker.Group ("abort");
  var running = new Tasker.Task ("running", (stopper) => ((Tasker.Stopper) stopper).sleep (uint.MAX));
  var never = new Tasker.Task ("never", () => {
    assert_not_reached ();
  });

  group.max_running = 1;
  group.add (running);
  group.add (never);
  while (running.state == Tasker.TaskState.QUEUED)
    Thread.usleep (1000);
  assert (never.abort ());
  assert (group.abort ());
  assert (!group.abort ());
  assert (yield group.join_async (null));
  assert (running.state == Tasker.TaskState.ABORTED);
  assert (never.state == Tasker.TaskState.ABORTED);
  try {
    never.join ();
    assert_not_reached ();
  } catch (Tasker.Error.ABORTED e) {
  }
}

async void check_room () throws Error {
  var group = new Tasker.Group ("room");
  var stopper = group.create_stopper ();
  var n_calls = 0;

  group.max_running = 1;
  group.max_queued = 1;
  for (var i = 0; i < 20; i++) {
    yield group.add_wait_async (new Tasker.Task (@"$i", () => {
      AtomicInt.inc (ref n_calls);
      return true;
    }), stopper);
  }
  assert (yield group.join_async (null));
  assert (n_calls == 20);
}

async void check_each () throws Error {
  var group = new Tasker.Group ("each");
  var squares = new int[100];
  var task = new Tasker.Task.each ("squares", squares.length, (i, stopper) => {
    assert (stopper is Tasker.Stopper);
    squares[i] = (int) (i * i);
    return true;
  });

  group.add (task);
  assert (yield task.join_async (null));
  for (var i = 0; i < squares.length; i++)
    assert (squares[i] == i * i);
  assert (task.get_progress () == 1);
}

async void check_poll () throws Error {
  var group = new Tasker.Group ("poll");
  var tasks = new Tasker.Task[3];
  uint n_joined;

  for (var i = 0; i < tasks.length; i++) {
    tasks[i] = new Tasker.Task.async (@"$i", null);
    group.add (tasks[i]);
  }
  assert (group.poll_join (out n_joined));
  assert (n_joined == 0);

  tasks[0].complete ();
  tasks[1].complete_error (new IOError.EXISTS ("no luck"));
  tasks[2].complete ();
  assert (yield tasks[2].join_async (null));
  try {
    group.poll_join (out n_joined);
    assert_not_reached ();
  } catch (IOError.EXISTS e) {
  }
  assert (group.poll_join (out n_joined));
  assert (n_joined == 1);
}

async void check_list () throws Error {
  var group = new Tasker.Group ("list");
  var task = new Tasker.Task.async ("one", null);
  var list = group.get_tasks ();
  var loop = new MainLoop ();

  assert (list.get_item_type () == typeof (Tasker.Task));
  var handler = list.items_changed.connect (() => loop.quit ());
  group.add (task);
  loop.run ();
  assert (list.get_n_items () == 1);
  assert (list.get_item (0) == task);
  task.complete ();
  loop.run ();
  assert (list.get_n_items () == 0);
  list.disconnect (handler);
}

/* Each is called once, and what it holds goes when the task has ended, been dropped
 * by its group, or never been added. */
void check_ownership_of_each_kind () {
  assert (Witness.n_alive == 0);
  {
    var group = new Tasker.Group ("kinds");
    var witness = new Witness ();
    var n_calls = 0;

    group.add (new Tasker.Task ("thread", () => {
      AtomicInt.inc (ref witness.n_calls);
      return true;
    }));
    group.add (new Tasker.Task.local ("local", () => {
      witness.n_calls += 10;
      return false;
    }));
    group.add (new Tasker.Task.each ("each", 2, () => {
      AtomicInt.add (ref witness.n_calls, 100);
      return true;
    }));
    group.spawn_local ("light", () => {
      witness.n_calls += 1000;
      return false;
    });
    new Tasker.Task ("dropped", () => {
      witness.n_calls = -1;
      return true;
    });
    try {
      assert (group.join ());
      n_calls = witness.n_calls;
    } catch (Error e) {
      error ("%s", e.message);
    }
    assert (n_calls == 1211);
  }
  assert (AtomicInt.get (ref Witness.n_alive) == 0);
}

/* What is returned is the caller's own, and what is passed is let go of. */
void check_references () {
  var group = new Tasker.Group ("references");
  var task = new Tasker.Task ("one", () => true);

  assert (task.ref_count == 1);
  assert (group.clone ().ref_count == 1);
  assert (new Tasker.Group (null).new_child ("child").ref_count == 1);
  assert (group.create_stopper ().ref_count == 1);
  assert (group.create_signaller ().ref_count == 1);
  assert (group.get_tasks ().ref_count == 1);
  group.add (task);
  try {
    var tasks = group.collect ();
    assert (tasks.length == 1);
    assert (tasks[0] == task);
  } catch (Error e) {
    error ("%s", e.message);
  }
  assert (task.ref_count == 1);
  assert (group.join_stream ().ref_count == 1);
  assert (group.ref_count == 1);
}

/* What a closure holds goes with the task. */
void check_ownership () {
  assert (Witness.n_alive == 0);
  {
    var group = new Tasker.Group ("owned");
    var witness = new Witness ();
    unowned var seen = witness;

    group.spawn ("holds it", () => {
      AtomicInt.inc (ref witness.n_calls);
      return true;
    });
    group.stop ();
    try {
      assert (group.join ());
    } catch (Error e) {
      error ("%s", e.message);
    }
    assert (seen.n_calls <= 1);
    assert (AtomicInt.get (ref Witness.n_alive) == 1);
  }
  assert (AtomicInt.get (ref Witness.n_alive) == 0);
}

int main (string[] args) {
  Test.init (ref args);

  Test.add_func ("/vala/join", () => iterate ((c) => check_join.begin (c), (r) => check_join.end (r)));
  Test.add_func ("/vala/values", () => iterate ((c) => check_values.begin (c), (r) => check_values.end (r)));
  Test.add_func ("/vala/errors", () => iterate ((c) => check_errors.begin (c), (r) => check_errors.end (r)));
  Test.add_func ("/vala/stop", () => iterate ((c) => check_stop.begin (c), (r) => check_stop.end (r)));
  Test.add_func ("/vala/stream", () => iterate ((c) => check_stream.begin (c), (r) => check_stream.end (r)));
  Test.add_func ("/vala/steps", () => iterate ((c) => check_steps.begin (c), (r) => check_steps.end (r)));
  Test.add_func ("/vala/sleep", () => iterate ((c) => check_sleep.begin (c), (r) => check_sleep.end (r)));
  Test.add_func ("/vala/abort", () => iterate ((c) => check_abort.begin (c), (r) => check_abort.end (r)));
  Test.add_func ("/vala/room", () => iterate ((c) => check_room.begin (c), (r) => check_room.end (r)));
  Test.add_func ("/vala/each", () => iterate ((c) => check_each.begin (c), (r) => check_each.end (r)));
  Test.add_func ("/vala/poll", () => iterate ((c) => check_poll.begin (c), (r) => check_poll.end (r)));
  Test.add_func ("/vala/list", () => iterate ((c) => check_list.begin (c), (r) => check_list.end (r)));
  Test.add_func ("/vala/ownership", check_ownership);
  Test.add_func ("/vala/ownership-of-each-kind", check_ownership_of_each_kind);
  Test.add_func ("/vala/references", check_references);

  return Test.run ();
}
