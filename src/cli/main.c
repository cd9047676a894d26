#include "cli/cli.h"

#include <signal.h>

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a closed connection is an error of write(2), not the end of us */
    return clv_cli_run(argc, argv);
}
