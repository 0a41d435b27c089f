// The thread pool: same bits at every thread count, concurrent callers, forks, signals.
//
//   threads [rounds [no-forks]]    (fewer rounds under valgrind; qemu cannot fork a process with threads)
#define _DEFAULT_SOURCE
#include <losskit/losskit.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "check.h"

enum { COUNT = 300007, CALLERS = 4, ROUNDS = 20 };
static float input[COUNT], expected[COUNT];
static int rounds = ROUNDS;

static int call_agrees(float *output) {
  memset(output, 0, sizeof expected);
  return losskit_sigmoid_f32(input, COUNT, output) == LOSSKIT_OK && memcmp(output, expected, sizeof expected) == 0;
}

static void *caller(void *unused) {
  (void)unused;
  float *output = malloc(sizeof expected);
  intptr_t agreed = 1;
  for (int i = 0; i < rounds; i++) agreed &= call_agrees(output);
  free(output);
  return (void *)agreed;
}

static void concurrent_callers(void) {
  pthread_t threads[CALLERS];
  for (int i = 0; i < CALLERS; i++) CHECK(pthread_create(&threads[i], NULL, caller, NULL) == 0);
  for (int i = 0; i < CALLERS; i++) {
    void *agreed = NULL;
    pthread_join(threads[i], &agreed);
    CHECK(agreed);
  }
}

// Children of a process whose pool is in use, perhaps in the middle of a call: each must be able to use its own.
static void forks_during_calls(void) {
  pthread_t busy[2];
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&busy[i], NULL, caller, NULL) == 0);
  for (int i = 0; i < rounds; i++) {
    pid_t child = fork();
    if (child == 0) {
      static float output[COUNT];
      alarm(60);  // a deadlock ends the child
      int agreed = call_agrees(output) && call_agrees(output);
      pid_t grandchild = fork();
      if (grandchild == 0) _exit(call_agrees(output) ? 0 : 1);
      int status = 1;
      waitpid(grandchild, &status, 0);
      _exit(agreed && status == 0 ? 0 : 1);
    }
    int status = 1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  }
  for (int i = 0; i < 2; i++) {
    void *agreed = NULL;
    pthread_join(busy[i], &agreed);
    CHECK(agreed);
  }
}

// The program's signal handlers run on the program's threads: workers block what is not about themselves.
static pthread_t main_thread;
static volatile sig_atomic_t handled, handled_elsewhere;
static void on_signal(int number) {
  (void)number;
  handled++;
  if (!pthread_equal(pthread_self(), main_thread)) handled_elsewhere++;
}
static void signals(void) {
  float *output = malloc(sizeof expected);
  main_thread = pthread_self();
  signal(SIGUSR1, on_signal);
  for (int i = 0; i < rounds; i++) {
    kill(getpid(), SIGUSR1);
    CHECK(call_agrees(output));
  }
  CHECK(handled > 0 && handled_elsewhere == 0);
  free(output);
}

int main(int count, char **arguments) {
  if (count > 1) rounds = atoi(arguments[1]);
  for (int i = 0; i < COUNT; i++) input[i] = (float)(i % 4001) / 100 - 20;

  CHECK(losskit_get_num_threads() == 1);
  CHECK(losskit_set_num_threads(0) == LOSSKIT_INVALID_PARAMETER);
  CHECK(losskit_set_num_threads(-1) == LOSSKIT_INVALID_PARAMETER);
  CHECK(losskit_set_num_threads(257) == LOSSKIT_INVALID_PARAMETER);
  CHECK(losskit_get_num_threads() == 1);

  CHECK(losskit_sigmoid_f32(input, COUNT, expected) == LOSSKIT_OK);
  float *output = malloc(sizeof expected);
  const int32_t counts[] = {2, 5, 3, 1, 16, 2};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    CHECK(losskit_set_num_threads(counts[i]) == LOSSKIT_OK && losskit_get_num_threads() == counts[i]);
    for (int round = 0; round < rounds; round++) CHECK(call_agrees(output));
  }
  free(output);

  CHECK(losskit_set_num_threads(5) == LOSSKIT_OK);
  signals();
  concurrent_callers();
  if (count < 3) forks_during_calls();
  return finish("threads");
}
