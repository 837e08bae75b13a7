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
  Test.add_func ("/vala/ownership", check_ownership);

  return Test.run ();
}
