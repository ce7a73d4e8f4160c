#include "carpel_plugin.h"
