"""Functions and built-in variables, read and written as a program or a step does."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.channels.channel import Channel
from arietta.dialplan.errors import DialplanError, FunctionError, UnknownFunction
from arietta.dialplan.functions.standard import standard_functions
from arietta.dialplan.variables import SubstitutionError

from .stage import Stage, leg_of

PLAN = """
[globals]
SITE=north
[default]
exten => s,1,NoOp()
exten => 100,1(top),NoOp()
exten => 100,hint,Test/100
exten => rule,1,Return(${TEXT}!)
same => n(own),Return(${TEXT}?)
"""


@pytest.fixture
def stage() -> Stage:
    stage = Stage(PLAN)
    stage.loop.close()
    return stage


@pytest.fixture
def channel(stage: Stage) -> Channel:
    channel = stage.channel()
    channel.variables.update(LIST="a,b,c", PATH_="x/y/z", TEXT="hello", NUM="41", DASH="1-2-3-4", ITEM="b")
    return channel


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${LEN(hello)}", "5"),
        ("${LEN()}", "0"),
        ("${TOUPPER(aBc)}", "ABC"),
        ("${TOLOWER(aBc)}", "abc"),
        ("${TRIM(  a b )}", "a b"),
        ("<${LTRIM(  a )}${RTRIM( b  )}>", "<a  b>"),
        ("${EVAL_EXTEN(default,rule,1)} ${EVAL_EXTEN(rule,own)}", "hello! hello?"),
        ('${QUOTE(say "x")}', '"say \\"x\\""'),
        ('${CSV_QUOTE(a"b)}', '"a""b"'),
        ("${FIELDQTY(LIST)}", "3"),
        ("${FIELDQTY(LIST,\\,)}", "3"),
        ("${FIELDQTY(PATH_,/)}", "3"),
        ("${FIELDQTY(NOTHING,/)}", "0"),
        ("${FIELDNUM(LIST,\\,,b)}", "2"),
        ("${FIELDNUM(LIST,\\,,z)}", "0"),
        ("${CUT(LIST,\\,,2)}", "b"),
        ("${CUT(DASH,,2-3)}", "2-3"),
        ("${CUT(DASH,-,1&3-)}", "1-3-4"),
        ("${CUT(PATH_,/,9)}", ""),
        ("${FILTER(0-9,+49 (30) 12)}", "493012"),
        ("${FILTER(a-z\\-,a-B-c)}", "a--c"),
        ("${FILTER(\\x41,ABA)}", "AA"),
        ("${REPLACE(PATH_,/,_)}", "x_y_z"),
        ("${REPLACE(TEXT,l)}", "heo"),
        ("${STRREPLACE(TEXT,ll,LL)}", "heLLo"),
        ('${REGEX("^h.*o$" ${TEXT})}', "1"),
        ('${REGEX("^x" ${TEXT})}', "0"),
        ("${LISTFILTER(LIST,\\,,b)}", "a,c"),
        ("${PASSTHRU(a,b)}", "a,b"),
        ("${SHIFT(LIST)}:${LIST}", "a:b,c"),
        ("${POP(LIST)}:${LIST}", "c:a,b"),
        ("${SHIFT(NOTHING)}", ""),
        ("${IF(1?yes:no)}", "yes"),
        ("${IF(0?yes:no)}", "no"),
        ("${IF(?yes:no)}", "no"),
        ('${IF($[1 = 1]?"a:b":c)}', "a:b"),
        ("${IF(0?yes)}", ""),
        ("${IFTIME(*,*,*,*?now:never)}", "now"),
        ("${EXISTS(${TEXT})}${EXISTS(${NOTHING})}", "10"),
        ("${ISNULL(${TEXT})}${ISNULL(${NOTHING})}", "01"),
        ("${SET(Y=5)}${Y}", "55"),
        ("${EVAL(\\${TEXT})}", "hello"),
        ("${MATH(1+2)}", "3.000000"),
        ("${MATH(123%16,int)}", "11"),
        ("${MATH(5>3)}", "TRUE"),
        ("${MATH(2**10,i)}", "1024"),
        ("${MATH(255+1,hex)}", "100"),
        ("${MATH(64+1,char)}", "A"),
        ("${MATH(6 AND 3,int)}", "2"),
        ("${MATH(-4.5*2)}", "-9.000000"),
        ("${INC(NUM)}${DEC(NUM)}", "4241"),
        ("${MIN(3,1.5,2)}${MAX(3,10)}${ABS(-4)}", "1.5104"),
        ("${URIENCODE(a b/c)}", "a%20b%2Fc"),
        ("${URIDECODE(a%20b)}", "a b"),
        ("${BASE64_ENCODE(hello)}", "aGVsbG8="),
        ("${BASE64_DECODE(aGVsbG8=)}", "hello"),
        ("${MD5(123)}", "202cb962ac59075b964b07152d234b70"),
        ("${SHA1(1234)}", "7110eda4d09e062aa5e4a390b0a572ac0d2c0220"),
        ("${STRFTIME(0,UTC,%Y-%m-%d %H:%M:%S.%3q)}", "1970-01-01 00:00:00.000"),
        ("${GLOBAL(SITE)}${SITE}", "northnorth"),
        ("${DIALPLAN_EXISTS(default)}${DIALPLAN_EXISTS(default,100,top)}${DIALPLAN_EXISTS(default,7)}", "110"),
        ("${VALID_EXTEN(,100)}${VALID_EXTEN(default,100,2)}", "10"),
        ("${IFMODULE(app_dial.so)}${IFMODULE()}", "0"),
        ("${HINT(100)}", "Test/100"),
        ("${DEVICE_STATE(Test/1)}", "INVALID"),
        ("${DEVICE_STATE(x)}", "INVALID"),
        ("${EXTENSION_STATE(100@default)}", "UNAVAILABLE"),
        ("${VERSION()}", "1.2.3"),
        ("${CALLERID(num)}${CALLERID(name)}", "6001Caller"),
        ("${CALLERID(all)}", '"Caller" <6001>'),
        ("${CALLERID(pres)}", "allowed_not_screened"),
        ("${CHANNEL(name)}${CHANNEL(state)}", "Test/callerRing"),
        ("${CHANNEL(channeltype)}${CHANNEL(language)}", "Testen"),
        ("${CHANNEL(peerip)}", "192.0.2.1"),
        ("${CHANNEL(context)},${CHANNEL(exten)},${CHANNEL(priority)}", "default,s,1"),
        ("${EXTEN}@${CONTEXT}:${PRIORITY}", "s@default:1"),
        ("${CHANNEL}", "Test/caller"),
        ("${EPOCH}", "1800000000"),
        ("${ENTITYID}", "00:11:22:33:44:55"),
        ("${TIMEOUT(digit)}${TIMEOUT(absolute)}", "5.0000.000"),
        ("${CHANNELS()}", "Test/caller"),
        ("${IMPORT(Test/caller,TEXT)}", "hello"),
        ("${len(abc)}", "3"),
    ],
)
def test_reading(stage: Stage, channel: Channel, text: str, value: str) -> None:
    assert stage.plan.substitute(channel, text) == value


@pytest.mark.parametrize(
    ("name", "value", "text", "expected"),
    [
        ("CALLERID(name)", "New Name", "${CALLERID(all)}", '"New Name" <6001>'),
        ("CALLERID(all)", '"A B" <77>', "${CALLERID(name)}/${CALLERID(num)}", "A B/77"),
        ("CALLERID(pres)", "prohib", "${CALLERID(num-pres)}${CALLINGPRES}", "prohib35"),
        ("CALLERID(rdnis)", "88", "${CALLERID(rdnis)}", "88"),
        ("CALLERID(dnid)", "99", "${CALLERID(dnid)}", "99"),
        ("CONNECTEDLINE(all,i)", "Other Side <888>", "${CONNECTEDLINE(num)}", "888"),
        ("CHANNEL(language)", "de", "${CHANNEL(language)}", "de"),
        ("CHANNEL(accountcode)", "acme", "${ACCOUNTCODE}", "acme"),
        ("CHANNEL(musicclass)", "jazz", "${CHANNEL(musicclass)}", "jazz"),
        ("CHANNEL(userfield)", "u", "${CHANNEL(userfield)}", "u"),
        ("GLOBAL(G)", "1", "${G}", "1"),
        ("HASH(h,k)", "v", "${HASH(h,k)}${HASHKEYS(h)}", "vk"),
        ("ARRAY(P,Q)", "1,2", "${P}${Q}", "12"),
        ("PUSH(LIST)", "d", "${LIST}", "a,b,c,d"),
        ("UNSHIFT(LIST)", "z", "${LIST}", "z,a,b,c"),
        ("LOCAL(L)", "1", "${LOCAL(L)}", "1"),
        ("TIMEOUT(digit)", "2.5", "${TIMEOUT(digit)}", "2.500"),
        ("__DEEP", "d", "${DEEP}", "d"),
        ("PLAIN", "p", "${PLAIN}", "p"),
    ],
)
def test_writing(stage: Stage, channel: Channel, name: str, value: str, text: str, expected: str) -> None:
    stage.plan.write(channel, name, value)
    assert stage.plan.substitute(channel, text) == expected


def test_detectors_reach_the_port(stage: Stage, channel: Channel) -> None:
    for name, value in (
        ("TALK_DETECT(set)", "400,128"),
        ("TALK_DETECT(set)", ""),
        ("TALK_DETECT(remove)", ""),
        ("TONE_DETECT(1004,200,r)", ""),
        ("TONE_DETECT(0,,x)", ""),
    ):
        stage.plan.write(channel, name, value)
    assert leg_of(channel).said == [
        "talk 128 400",
        "talk 256 2500",
        "talk None 2500",
        "tone 1004 200",
        "tone None 500",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "CHANNEL(nonsense)",
        "CALLERID(nonsense)",
        "CONNECTEDLINE(x)",
        "CUT(A)",
        "CUT(,,)",
        "FILTER(a)",
        "REGEX(x)",
        'REGEX("(" x)',
        "MATH(a+b)",
        "MATH(1/0)",
        "MATH(1+1,roman)",
        "MATH(2<<99)",
        "INC(TEXT)",
        "MIN(a)",
        "IF(x)",
        "IFTIME(9,*,*,*?a:b)",
        "ENV(SECRET)",
        "STRFTIME(x)",
        "STRFTIME(0,No/Where)",
        "BASE64_DECODE(a)",
        "PUSH(LIST)",
        "HASH(h)",
        "TIMEOUT(x)",
        "SET(x)",
        "EVAL_EXTEN(1)",
        "EVAL_EXTEN(nowhere,x,1)",
        "EVAL_EXTEN()",
    ],
)
def test_readings_that_are_refused(stage: Stage, channel: Channel, name: str) -> None:
    with pytest.raises(FunctionError):
        stage.plan.read(channel, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHANNEL(nonsense)", "1"),
        ("CHANNEL(name)", "1"),
        ("CALLERID(pres)", "maybe"),
        ("LEN(x)", "1"),
        ("DENOISE(rx)", "on"),
        ("TALK_DETECT(x)", ""),
        ("TALK_DETECT(set)", "0,0"),
        ("TONE_DETECT(1000,500,a)", ""),
        ("TONE_DETECT(9999)", ""),
        ("TIMEOUT(absolute)", "soon"),
        ("DEVICE_STATE(Test/1)", "BUSY"),
    ],
)
def test_writings_that_are_refused(stage: Stage, channel: Channel, name: str, value: str) -> None:
    with pytest.raises(FunctionError):
        stage.plan.write(channel, name, value)


def test_unknown_functions_are_an_error_of_their_own(stage: Stage, channel: Channel) -> None:
    with pytest.raises(UnknownFunction, match=r"there is no function NOSUCHFUNC\(\)"):
        stage.plan.read(channel, "NOSUCHFUNC(x)")
    with pytest.raises(UnknownFunction):
        stage.plan.write(channel, "NOSUCHFUNC(x)", "1")


def test_in_a_step_what_fails_is_empty_and_logged(
    stage: Stage, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert stage.plan.substitute(channel, "<${NOSUCHFUNC(x)}>") == "<>"
    assert "Test/caller at s@default:1: there is no function NOSUCHFUNC()" in caplog.text


def test_variables_as_a_program_reads_them(stage: Stage, channel: Channel) -> None:
    assert stage.plan.read(channel, "NEVER") is None
    assert stage.plan.read(channel, "TEXT") == "hello"
    assert stage.plan.read(channel, "CALLERID(num)") == "6001"
    assert stage.plan.read(None, "SITE") == "north"
    with pytest.raises(FunctionError, match="needs a channel"):
        stage.plan.read(None, "CALLERID(num)")


def test_a_global_variable_is_told_without_a_channel(stage: Stage) -> None:
    stage.plan.write(None, "WHERE", "here")
    event = stage.events[-1]
    assert (event.variable, event.value) == ("WHERE", "here")
    assert stage.plan.read(None, "WHERE") == "here"


def test_evaluation_of_itself_is_bounded(stage: Stage, channel: Channel) -> None:
    channel.variables["LOOP"] = "${EVAL(${LOOP})}"
    with pytest.raises(SubstitutionError, match="deeper than 30"):
        stage.plan.substitute(channel, "${EVAL(${LOOP})}")


NAMES = st.sampled_from([function.name for function in standard_functions()])


@settings(max_examples=300)
@given(NAMES, st.text("LISTEXab019,-&:?=\"'\\/+*%()[] .x", max_size=20), st.booleans())
def test_any_arguments_are_taken_or_refused(name: str, arguments: str, writing: bool) -> None:
    stage = Stage(PLAN)
    channel = stage.channel()
    channel.variables.update(LIST="a,b,c", TEXT="hello")
    try:
        if writing and name != "FILE":  # which would make a file of that name
            stage.plan.functions.write(stage.plan, channel, name, arguments, arguments)
        else:
            assert isinstance(stage.plan.functions.read(stage.plan, channel, name, arguments), str)
    except (DialplanError, SubstitutionError):
        pass
    finally:
        stage.loop.close()
