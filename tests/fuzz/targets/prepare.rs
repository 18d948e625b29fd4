//! What every target does once, before the first bytes: work stays on the fuzzer's own thread, so that the same bytes
//! take the same path, and a panic that the program will tell as a fault of the file is no crash.

pub fn prepare() {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    threads.expect("nothing has used threads yet");
    let crash = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !wellfield::read::is_guarded() {
            crash(panic);
        }
    }));
}
