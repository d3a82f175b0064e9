using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Busybox's shell and its applets have the same output in a micro VM: more than a hundred commands that work on files and with each other.</summary>
internal sealed class BusyboxTests(TestTarget target) : ProgramTest(target)
{
    private const string Busybox = "/usr/bin/busybox";

    // When a shell reports that a process of its own was ended depends on time: that goes to nowhere.
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["text"] =
            """
            seq 20 | sed -n '3,7p' | tr 0-9 a-j; seq 30 | sort -r | uniq | head -n 3; printf 'b 2\na 1\nc 3\n' | sort | cut -d ' ' -f 2 | paste -s -d +
            seq 12 | awk '{ sum += $1; line = line " " $1 * $1 } END { print sum line }'; echo Hello | rev; seq 5 | tac | nl; echo 'one two three' | fold -w 5
            printf 'a\tb\n' | expand; printf 'one\ntwo\nthree\n' | grep -n -v two; echo 'a,b;c' | tr ',;' '\n\n' | wc -l; seq 3 | xargs -n 1 echo number
            printf 'x\ny\n' >a; printf 'y\nz\n' >b; diff a b; echo $?; cmp a b; echo $?
            """,
        ["files"] =
            """
            mkdir -p one/two/three; echo text >one/file; cp -r one copy; mv copy/file copy/two/moved; ln -s ../file one/two/link; ln one/file one/hard
            find . | sort; cat one/two/../hard; readlink one/two/link; chmod 640 one/file; stat -c '%a %s %h %F' one/file one/two; truncate -s 10000 one/file
            dd if=one/file of=part bs=1000 count=3 skip=2 2>/dev/null; stat -c %s part; du -a one >/dev/null && echo sizes; rm -r one/two; ls -a one copy
            basename /a/b.c .c; dirname /a/b.c; touch -d '2001-02-03 04:05:06' old; date -u -r old +%F; find . -name 'm*' -type f; rmdir one 2>/dev/null; echo $?
            shred -u part; test -L one/two/link; echo $?; run-parts --test copy/two; unlink old; ls
            """,
        ["archives"] =
            """
            mkdir tree; for i in 1 2 3 4 5; do seq $((i * 1000)) >tree/$i; done; tar cf tree.tar tree; gzip tree.tar; gunzip <tree.tar.gz | tar tf - | sort; mkdir out; gunzip -c tree.tar.gz | tar xf - -C out
            diff -r tree out/tree && echo equal; gzip -c tree/5 | gunzip | md5sum; bzip2 -c tree/4 | bunzip2 | md5sum
            cd tree; find . -type f | sort | cpio -o -H newc 2>/dev/null | cpio -t 2>/dev/null | sort; cd ..
            """,
        ["sums"] =
            """
            seq 5000 >numbers; md5sum numbers; sha1sum numbers; sha256sum numbers; sha512sum numbers; sha3sum numbers; crc32 numbers
            base64 <numbers | md5sum; head -c 40 numbers | hexdump -C; head -c 20 numbers | od -c; head -c 20 numbers | xxd; uuencode numbers x >encoded; md5sum encoded
            md5sum numbers >list; md5sum -c list; tail -c 5 numbers; strings numbers | tail -n 1; unix2dos <numbers | wc -c; uudecode -o - <encoded | cmp - numbers && echo decoded
            """,
        ["processes"] =
            """
            exec 2>/dev/null; (sleep 0.05; echo late) & echo early; wait; sleep 100 & kill $!; wait $!; echo $?; timeout 0.2 sleep 100; echo $?; trap 'echo trapped' USR1; kill -USR1 $$
            mkfifo pipe; (seq 3 >pipe) & while read n; do echo "got $n"; done <pipe; wait; seq 1000 | head -n 3; seq 5 | tee copy | tail -n 1; wc -l <copy
            env -i A=1 env; sh -c 'exit 7'; echo $?; false || echo failed; (cd /; pwd); ulimit -n 64; ulimit -n
            echo a | (read x; echo "$x$x"); set -- a b c; shift; echo $#; x=$(echo sub); echo ${x%b} ${#x}
            """,
        ["calculation"] =
            """
            expr 6 \* 7; factor 123456789; echo '2^100; scale=10; 1/3' | bc; echo '3 4 + p' | dc; date -u -d @86400 '+%F %T'; cal 2 2024; printf '%05d %x %s\n' 42 255 text
            echo $((1 << 40)) $((7 % 3)); test 3 -gt 2 && echo more; awk 'BEGIN { for (i = 0; i < 2000; i++) a[i % 7] += i; for (i = 0; i < 7; i++) print i, a[i] }'
            echo line >f; printf '1p\n1s/line/changed/\nw\nq\n' | ed f; sed 's/\(c\)\(h\)/\2\1/' f; seq 3 | sed '2a new' | sed '/new/d'; [ abc \< abd ]; echo $?
            """,
    };

    private static IEnumerable<string> Names => Scripts.Keys;

    [TestCaseSource(nameof(Names))]
    public async Task Applets_do_what_they_do_on_linux(string name)
    {
        RequireFastExecution();
        RequireFastKernel();
        string script = $"PATH=; d=$(mktemp -d) && cd $d || exit 9\n{Scripts[name]}\ncd / && rm -r $d";
        ProgramImage image = InstalledProgram.Image(Busybox, ImageOptions);
        (int exitCode, string output, string error) = NativeProgram.Run(Busybox, "", "sh", "-c", script);

        ProgramResult result = await Run(Create(image, [Busybox]), "", "sh", "-c", script);

        Assert.That(result.End, Is.EqualTo(ProgramEnd.Exited), result.StandardOutput);
        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }
}
