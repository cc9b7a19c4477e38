/* The program's version, in one place. */
#pragma once
#define PGWINNOW_VERSION "0.1.0"
