#include <losskit/losskit.h>
