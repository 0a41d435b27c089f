#include <losskit/losskit.h>
#include <math.h>
#include <stdio.h>

int main(void) {
  const float x[] = {-2, 0, 3};
  float y[3];
  const losskit_status status = losskit_sigmoid_f32(x, 3, y);
  if (status != LOSSKIT_OK) return puts(losskit_status_string(status)), 1;
  for (int i = 0; i < 3; i++)
    if (fabsf(y[i] - 1 / (1 + expf(-x[i]))) > 1e-6f) return puts("a wrong result"), 1;
  printf("%.4f %.4f %.4f\n", y[0], y[1], y[2]);
  return losskit_set_num_threads(2) != LOSSKIT_OK;
}
