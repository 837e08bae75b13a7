// SPDX-License-Identifier: LGPL-2.1-or-later

/* The override for those who import it the old way. */

imports.gi.versions.Tasker = '1';
const {GLib, Tasker} = imports.gi;
const System = imports.system;

const loop = new GLib.MainLoop(null, false);
let error = null;

async function main() {
    const group = new Tasker.Group({name: 'legacy'});
    const task = group.spawn('answer', async self => {
        await self.sleep(1);
        return 42;
    });

    if (await task !== 42)
        throw new Error(`the task returned ${task.value}`);
    let n = 0;
    for await (const ended of group.joinStream())
        n += ended === task;
    if (n !== 1)
        throw new Error(`the stream gave the task ${n} times`);
}

main().catch(e => {
    error = e;
}).finally(() => loop.quit());
loop.run();

print('1..1');
print(`${error ? 'not ok' : 'ok'} 1 - imports.gi`);
if (error)
    print(`# ${error}`);
System.exit(error ? 1 : 0);
