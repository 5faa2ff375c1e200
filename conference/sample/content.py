"""The texts of the sample conference: a day on peer-supported Open Dialogue. All invented."""

ORGANISATION = {
    "name": "Northern Open Dialogue Network",
    "short_name": "Northern Open Dialogue",
    "charity_number": "1000000 (sample)",
    "address": "The Old Library, 3 Mill Lane, Leeds LS1 0AA",
    "email": "hello@example.org",
    "social_name": "Follow us on Mastodon",
    "social_url": "https://mastodon.example.org/@northern-open-dialogue",
}

INTRODUCTION = """\
We are people who have lived through a mental health crisis, their families and friends, and
people who work in services. What brings us together is **Open Dialogue**: meeting a crisis
early, together with the people who matter to the person, and deciding everything in the room,
in everybody's hearing.

In *peer-supported* Open Dialogue some of the practitioners have been through a crisis
themselves. They sit in the circle as colleagues. We think this changes what can be said.

We meet once a year for a day of listening, we help local groups to start, and we write a
Bulletin a few times a year. You need no diagnosis, no training and no referral to take part.
"""

CONFERENCE = {
    "name": "Listening Together",
    "tagline": "A day of peer-supported Open Dialogue, for everyone it touches.",
    "venue": "Mill Lane Community Hall",
    "address": "Mill Lane\nLeeds\nLS1 0AB",
    "map_url": "https://www.openstreetmap.org/#map=16/53.7970/-1.5440",
    "picture_alt": "Nine people sit in a circle around a bright rug and talk with each other.",
}

PROGRAMME = """\
Come for the whole day or for a part of it. Nobody has to speak, and every room has a way out
that disturbs no one.

| Time | What happens |
|---|---|
| 10:00 | Doors open, tea and coffee |
| 10:30 | Welcome: how we want to listen to each other today |
| 10:45 | *What helped was the second silence.* A family and its network team look back, together |
| 11:45 | Pause |
| 12:05 | Small circles: a question of your own, eight chairs, one hour |
| 13:05 | Lunch, which we provide |
| 14:05 | Peer practitioners in conversation: what is it like to be paid for what hurt? |
| 15:05 | Workshops: the first meeting; reflecting in the open; when we do not agree |
| 16:05 | Pause |
| 16:20 | Closing circle: what we take home |
| 17:00 | End |

### For those who join online
The morning conversation, the peer practitioners and the closing circle are shown by video, with
live captions. An online circle meets at 12:05 with its own host. The link is sent the day before.

### Who will be there
About half of us use or have used services or care for someone who does. Some of us are nurses,
doctors, social workers and psychologists. A few study how all this works. On the name badge
there is only the name that you give us.
"""

ACCESS_INFORMATION = """\
- Step-free from the street to every room; lift to the first floor; accessible toilet with a
  changing bench.
- A hearing loop in the hall. Live captions in the hall and online.
- A quiet room all day, with low light and someone to sit with you if you wish.
- Assistance dogs are welcome. Someone who supports you comes free: reserve a place for them too.
- Lunch is vegetarian, with vegan and gluten-free plates.
- Blue badge parking behind the hall; buses 4 and 16 stop at the door.

If you need something else, write to us. We would rather be asked.
"""

GIFT_EXPLANATION = """\
The day costs us about **£38 a person**: the hall, lunch, captions, and the fares of speakers who
could not come otherwise. About £5 pays for a lunch, £15 for an hour of captions, £30 for
someone's train to Leeds. What is left over goes into next year's day.
"""

TICKET_TYPES = (
    {
        "name": "Service user or carer",
        "description": "You use services or have used them, or someone close to you does.",
        "is_private": True,
    },
    {
        "name": "Professional",
        "description": "You work in services, teach or do research.",
        # Or else a ticket that names no kind would tell that it is the other.
        "is_private": True,
    },
    {
        "name": "Online",
        "description": "By video, with live captions and a circle of your own.",
        "is_online": True,
    },
)

_EDITION_11 = """\
Dear all,

Our spring meeting had one question: **who was not in the room?** We had spoken for an hour about
a crisis, kindly and at length, before somebody noticed that the person's brother had not been
asked.

## What we tried
Before each meeting we now draw the network on one sheet of paper, together with the person at
the centre. Not everyone on the sheet is invited. But nobody is forgotten by accident any more.

## Local groups
- **Hull** meets on first Tuesdays at the library and is looking for a second host.
- **Kendal** has begun, with five people and a very good cake.
- **Sheffield** reads a transcript of a network meeting together, one page an evening.

## Something to read
A reader sent us the notice from a ward in the 1980s that lists the hours in which relatives may
'be informed'. We keep it on the wall, beside the words of a mother from last year's circle:
'I did not need to be informed. I needed to be asked.'

With warm regards from the editors
"""

_EDITION_12 = """\
Dear all,

Three network meetings in one month, two of them by video, one in a kitchen in Bradford with a
dog under the table. This Bulletin tells what we heard there, with the consent of all who spoke.

## Slower than planned
In the first meeting nothing was decided. We left uneasy. A week later the person wrote: 'It was
the first time nobody knew better than me what I should do next.' The plan that she then made
has held.

## A letter from a carer
> I came with a list of complaints and a folder. Nobody took the folder from me. They asked what
> it was like to carry it.

## Being a peer, being paid
Peer practitioners in our region now have a shared job description and a monthly hour of
supervision by someone who has done the work. It took four years. Thank you to everyone who
wrote to their trust.

## Our conference
*Listening Together* is open for reservations. Tickets are free to anyone. The programme was made
by the people who came last year, from the cards on the way out.

With warm regards from the editors
"""

# Oldest first. `days_ago` counts back from the day on which the sample is set up.
EDITIONS = (
    {
        "number": 11,
        "title": "Who was not in the room?",
        "summary": "A spring question, three local groups, and a notice from the 1980s.",
        "days_ago": 170,
        "body": _EDITION_11,
    },
    {
        "number": 12,
        "title": "Slower than planned",
        "summary": "Notes from three network meetings, and a letter from a carer.",
        "days_ago": 12,
        "body": _EDITION_12,
    },
)

DATA_PROTECTION = """\
The sample network has no real people and keeps no real data. On a real site the organisers say
here who looks after personal data and how to reach them.
"""
