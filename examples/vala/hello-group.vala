/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The smallest program in Vala: a group, two tasks, one of which starts the
 * other, and a main loop that stops them both. It runs for one second. */

/* A task's function runs in a worker thread. The stopper tells when to stop. */
bool tick (Cancellable stopper) throws Error {
  /* The sleep ends early, with an error, at the stop. To fail with that error
   * is how a task says that it has ended because it was stopped. */
  while (((Tasker.Stopper) stopper).sleep (10 * 1000))
    print ("tick\n");

  return false;
}

async void run () throws Error {
  var group = new Tasker.Group ("greetings");

  /* A task may start others, through a handle of its own. That is finished, to
   * promise that no more will come: a join waits for that, too. */
  var clone = group.clone ();
  group.spawn ("hello", (stopper) => {
    clone.spawn ("tick", tick);
    clone.finish ();

    print ("hello\n");
    ((Tasker.Stopper) stopper).wait ();
    print ("goodbye\n");

    return true;
  });

  Timeout.add (1000, () => {
    group.stop ();
    return Source.REMOVE;
  });

  /* Waits for every task, and reports the first that failed. To be stopped is
   * not a failure. */
  yield group.join_async (null);
}

int main () {
  var loop = new MainLoop ();
  var status = 0;

  run.begin ((source, result) => {
    try {
      run.end (result);
    } catch (Error e) {
      printerr ("%s\n", e.message);
      status = 1;
    }
    loop.quit ();
  });
  loop.run ();

  return status;
}
